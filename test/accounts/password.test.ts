import { randomBytes } from 'node:crypto'
import argon2 from 'argon2'
import t from 'tap'
import { rowOf, sessionIdOf, statefulSession } from '../sessions/session-rows.ts'
import { onPostgres } from '../support/database.ts'
import { commitInFrontOf } from '../support/lock-in-front.ts'
import { present } from '../support/presence.ts'
import { isProblem } from '../support/problem.ts'
import { PASSWORD, startService, type Answer, type Call, type LoginBody, type Person } from '../support/service.ts'

const NEW_PASSWORD = 'a staple of nine words'
const SAME_ORIGIN = { 'sec-fetch-site': 'same-origin' }

interface Changed extends LoginBody { code: string, identities: unknown[] }

t.test('changing one\'s password', async t => {
  const service = await startService(t)
  const ask = (call: Call, json: object) => service.call<Changed>('POST /auth/password', { ...call, json: { ...(call.json ?? {}), ...json } })
  const change = (login: LoginBody, newPassword = NEW_PASSWORD, currentPassword = PASSWORD, headers = {}) =>
    ask({ ...present(login), headers }, { currentPassword, newPassword })
  const verify = async ({ accessToken }: LoginBody) => (await service.call('GET /auth/verify', { token: accessToken })).status
  const refresh = (refreshToken: string) => service.call<LoginBody>('POST /auth/refresh', { json: { refreshToken } })
  const ledgerOf = ({ user }: Person) => service.sql('SELECT kind::text AS kind, subject FROM revocations WHERE subject = $1 OR user_id = $1::uuid ORDER BY id', user.id)
  const versionOf = ({ user }: Person) => service.sql('SELECT version FROM users WHERE id = $1::uuid', user.id)
  const key = () => randomBytes(16).toString('base64url')

  t.test('ends all other sessions, and gives the one it came from new credentials', async t => {
    const person = await service.person()
    const other = await service.logIn(person)
    const session = await statefulSession(service, person)
    t.equal((await service.call('GET /auth/verify', { cookies: session })).status, 200)

    const { status, body } = await change(person)
    t.equal(status, 200)
    t.match(body, { user: { id: person.user.id }, tokenType: 'Bearer', identities: [] })
    t.equal(sessionIdOf(body), sessionIdOf(person), 'the session is the one it was')
    t.strictSame([await verify(body), await verify(person), await verify(other)], [200, 401, 401])
    t.equal((await service.call('GET /auth/verify', { cookies: session })).status, 401)
    t.match(await rowOf(service, other), { endedReason: 'password_change' })
    t.match(await rowOf(service, person), { endedReason: null })
    t.match(await ledgerOf(person), [{ kind: 'session' }, { kind: 'session' }, { kind: 'user' }])
    t.match(await versionOf(person), [{ version: 2 }])
    t.match(await service.sql("SELECT actor_id AS actor, session_id AS session FROM audit_events WHERE action = 'password_change' AND subject_id = $1::uuid", person.user.id),
      [{ actor: person.user.id, session: sessionIdOf(person) }])

    t.equal((await refresh(other.refreshToken)).status, 401)
    t.equal((await service.call('POST /auth/login', { json: { email: person.email, password: PASSWORD } })).status, 401)
    t.equal((await service.call('POST /auth/login', { json: { email: person.email, password: NEW_PASSWORD } })).status, 200)
  })

  t.test('leaves the old refresh token without a successor, and its use is no reuse', async t => {
    const person = await service.person()
    const { refreshToken } = (await refresh(person.refreshToken)).body
    const { body } = await change({ ...person, refreshToken })
    for (const old of [refreshToken, person.refreshToken]) isProblem(t, await service.call('POST /auth/refresh', { json: { refreshToken: old } }), 'invalid_refresh_token')
    const next = await refresh(body.refreshToken)
    t.equal(next.status, 200, 'the session goes on')
    t.equal(await verify(next.body), 200)
  })

  for (const deliver of ['cookie', 'session'] as const) {
    t.test(`gives new credentials on the channel of the session: ${deliver}`, async t => {
      const person = await service.person()
      const before = valuesOf(await service.call('POST /auth/login', { json: { email: person.email, password: PASSWORD, deliver }, headers: SAME_ORIGIN }))
      t.equal((await service.call('GET /auth/verify', { cookies: before })).status, 200)
      const answer = await ask({ cookies: before, headers: SAME_ORIGIN }, { currentPassword: PASSWORD, newPassword: NEW_PASSWORD })
      t.equal(answer.status, 200)
      t.notOk(['accessToken', 'refreshToken'].some(name => name in answer.body), 'and none in the body')
      const after = valuesOf(answer)
      for (const name of deliver === 'cookie' ? ['access', 'refresh'] : ['session']) t.not(after[name], before[name])
      t.equal((await service.call('GET /auth/verify', { cookies: before })).status, 401)
      t.equal((await service.call('GET /auth/verify', { cookies: after })).status, 200)
      if (deliver === 'session') return
      isProblem(t, await service.call('POST /auth/refresh', { cookies: before, headers: SAME_ORIGIN }), 'invalid_refresh_token')
      t.equal((await service.call('POST /auth/refresh', { cookies: after, headers: SAME_ORIGIN })).status, 200)
    })
  }

  t.test('reads no body of a request without a credential, with an Idempotency-Key or without', async t => {
    const request = { text: '{', headers: { 'content-type': 'application/json' } }
    for (const headers of [{}, { 'idempotency-key': key() }]) {
      t.match(await service.call('POST /auth/password', { ...request, headers: { ...request.headers, ...headers } }), { status: 401, body: { code: 'unauthenticated' } })
      t.match(await service.call('POST /auth/password', { ...request, token: 'x', headers: { ...request.headers, ...headers } }), { status: 401, body: { code: 'invalid_token' } })
    }
  })

  t.test('can be repeated with the same Idempotency-Key, though the old credentials are replaced', async t => {
    const person = await service.person()
    const headers = { 'idempotency-key': key() }
    const first = await change(person, NEW_PASSWORD, PASSWORD, headers)
    const again = await change(person, NEW_PASSWORD, PASSWORD, headers)
    t.strictSame([first.status, again.status], [200, 200])
    t.equal(again.body.refreshToken, first.body.refreshToken, 'the same successor')
    t.equal(await verify(again.body), 200)
    t.match(await versionOf(person), [{ version: 2 }], 'nothing is changed twice')

    isProblem(t, await change(person, NEW_PASSWORD, PASSWORD, { 'idempotency-key': key() }) as Answer<never>, 'invalid_token', 'another key')
    isProblem(t, await change(person) as Answer<never>, 'invalid_token', 'no key')
    isProblem(t, await change(person, 'another staple of nine words', PASSWORD, headers) as Answer<never>, 'invalid_token', 'another password')
    isProblem(t, await change({ ...person, refreshToken: (await service.person()).refreshToken }, NEW_PASSWORD, PASSWORD, headers) as Answer<never>, 'invalid_token', 'another session')
    isProblem(t, await service.call('POST /auth/refresh', { json: { refreshToken: person.refreshToken }, headers }), 'invalid_refresh_token', 'another route')

    t.equal((await refresh(again.body.refreshToken)).status, 200)
    isProblem(t, await change(person, NEW_PASSWORD, PASSWORD, headers) as Answer<never>, 'invalid_token', 'once the answer has come of use')
    t.match(await rowOf(service, person), { endedReason: null }, 'and none of it ends the session')
  })

  t.test('sent twice at once under one key is done once', async t => {
    const person = await service.person()
    const headers = { 'idempotency-key': key() }
    const answers = await Promise.all([1, 2, 3].map(() => change(person, NEW_PASSWORD, PASSWORD, headers)))
    t.strictSame(answers.map(({ status }) => status), [200, 200, 200])
    t.equal(new Set(answers.map(({ body }) => body.refreshToken)).size, 1)
    t.match(await versionOf(person), [{ version: 2 }])
  })

  t.test('repeated while it is carried out gets the same answer, wherever the second request has come', async t => {
    // The first look by the token is for what to repeat, the second is at the session.
    for (const looks of [['sessions.find-by-token', 'sessions.find-by-token'], ['accounts.find-with-password']]) {
      const person = await service.person()
      const headers = { 'idempotency-key': key() }
      let held = service.hold(looks[0] ?? '')
      const again = change(person, NEW_PASSWORD, PASSWORD, headers)
      await held.reached
      for (const next of looks.slice(1)) {
        const before = held
        held = service.hold(next)
        before.release()
        await held.reached
      }
      const first = await change(person, NEW_PASSWORD, PASSWORD, headers)
      held.release()
      t.strictSame([first.status, (await again).status], [200, 200])
      t.equal((await again).body.refreshToken, first.body.refreshToken)
      t.match(await versionOf(person), [{ version: 2 }])
      t.strictSame(await service.sql("SELECT outcome FROM audit_events WHERE action = 'password_change' AND subject_id = $1::uuid", person.user.id), [{ outcome: 'success' }])
    }
  })

  t.test('goes well while a login renews the hash', onPostgres, async t => {
    const person = await service.person()
    const renewed = await argon2.hash(PASSWORD, { memoryCost: 8192, timeCost: 1, parallelism: 1 })
    const { status, body } = await commitInFrontOf(service, ['UPDATE users SET password_hash = $2 WHERE id = $1', person.user.id, renewed], () => change(person))
    t.equal(status, 200)
    t.equal(await verify(body), 200)
    t.equal((await service.call('POST /auth/login', { json: { email: person.email, password: NEW_PASSWORD } })).status, 200)
  })

  t.test('is refused where another password is set meanwhile', onPostgres, async t => {
    const person = await service.person()
    const other = await argon2.hash('another staple of nine words', { memoryCost: 8192, timeCost: 1, parallelism: 1 })
    t.match(await commitInFrontOf(service, ['UPDATE users SET password_hash = $2 WHERE id = $1', person.user.id, other], () => change(person)), { status: 401, body: { code: 'invalid_credentials' } })
  })

  t.test('of a stateful session can be repeated too', async t => {
    const person = await service.person()
    const before = await statefulSession(service, person)
    const headers = { ...SAME_ORIGIN, 'idempotency-key': key() }
    const send = () => ask({ cookies: before, headers }, { currentPassword: PASSWORD, newPassword: NEW_PASSWORD })
    const [first, again] = [await send(), await send()]
    t.strictSame([first.status, again.status], [200, 200])
    t.equal(again.cookies.session?.value, first.cookies.session?.value)
    t.equal((await service.call('GET /auth/verify', { cookies: { session: again.cookies.session?.value ?? '' } })).status, 200)
  })

  t.test('needs the present one', async t => {
    const person = await service.person()
    t.match(await change(person, NEW_PASSWORD, 'not the password'), { status: 401, body: { code: 'invalid_credentials' } })
    t.match(await change(person, '12345678'), { status: 422, body: { code: 'weak_password', errors: [{ field: 'newPassword' }] } })
    t.match(await change({ ...person, accessToken: 'x' }), { status: 401, body: { code: 'invalid_token' } })
    t.match(await change({ ...person, accessToken: 'x' }, NEW_PASSWORD, PASSWORD, { 'idempotency-key': key() }), { status: 401, body: { code: 'invalid_token' } })
    t.match(await service.call('POST /auth/password', { json: { newPassword: NEW_PASSWORD }, headers: { 'idempotency-key': key() } }), { status: 401, body: { code: 'unauthenticated' } })
    t.match(await versionOf(person), [{ version: 1 }])
    t.strictSame(await ledgerOf(person), [])
  })

  t.test('of two at once one counts', async t => {
    const person = await service.person()
    const answers = await Promise.all([change(person, `${NEW_PASSWORD} 1`), change(person, `${NEW_PASSWORD} 2`)])
    t.strictSame(answers.map(({ status }) => status).sort(), [200, 401])
  })

  t.test('with more than 32 others, those that ended recently included, writes one ledger row for the user', async t => {
    for (const [before, after] of [[0, 33], [20, 20]] as const) {
      const person = await service.person()
      const open = (count: number) => service.sql(`
        INSERT INTO sessions (id, user_id, channel, nonce, key_id, idle_ends_at, ends_at)
        SELECT gen_random_uuid(), $1::uuid, 'body', '\\x00', 'key', now() + interval '1 day', now() + interval '1 day' FROM generate_series(1, $2::int)`, person.user.id, count)
      await open(before)
      if (before > 0) await service.call('DELETE /auth/sessions', { token: person.accessToken })
      await open(after)
      const { status, body } = await change(person)
      t.equal(status, 200)
      t.match(await ledgerOf(person), [{ kind: 'user', subject: person.user.id }], `${before} and ${after}`)
      t.strictSame([await verify(person), await verify(body)], [401, 200])
    }
  })
})

function valuesOf ({ cookies }: Pick<Answer<unknown>, 'cookies'>): Record<string, string> {
  return Object.fromEntries(Object.entries(cookies).filter(([, { value }]) => value !== '').map(([name, { value }]) => [name, value]))
}
