import t from 'tap'
import { rowOf, sessionIdOf, statefulSession } from '../sessions/session-rows.ts'
import { PASSWORD, startService, type LoginBody, type Person } from '../support/service.ts'

const NEW_PASSWORD = 'a staple of nine words'

t.test('changing one\'s password', async t => {
  const service = await startService(t)
  const change = ({ accessToken }: LoginBody, newPassword = NEW_PASSWORD, currentPassword = PASSWORD) =>
    service.call('POST /auth/password', { token: accessToken, json: { currentPassword, newPassword } })
  const verify = async ({ accessToken }: LoginBody) => (await service.call('GET /auth/verify', { token: accessToken })).status
  const ledgerOf = ({ user }: Person) => service.sql('SELECT kind::text AS kind, subject FROM revocations WHERE subject = $1 OR user_id = $1::uuid ORDER BY id', user.id)
  const versionOf = ({ user }: Person) => service.sql('SELECT version FROM users WHERE id = $1::uuid', user.id)

  t.test('ends all other sessions and keeps the one it came from', async t => {
    const person = await service.person()
    const other = await service.logIn(person)
    const session = await statefulSession(service, person)
    t.equal((await service.call('GET /auth/verify', { cookies: session })).status, 200)

    t.equal((await change(person)).status, 204)
    t.equal(await verify(person), 200)
    t.equal(await verify(other), 401)
    t.equal((await service.call('GET /auth/verify', { cookies: session })).status, 401)
    t.match(await rowOf(service, other), { endedReason: 'password_change' })
    t.match(await rowOf(service, person), { endedReason: null })
    t.match(await ledgerOf(person), [{ kind: 'session' }, { kind: 'session' }])
    t.match(await versionOf(person), [{ version: 2 }])
    t.match(await service.sql("SELECT actor_id AS actor, session_id AS session FROM audit_events WHERE action = 'password_change' AND subject_id = $1::uuid", person.user.id),
      [{ actor: person.user.id, session: sessionIdOf(person) }])

    t.equal((await service.call('POST /auth/refresh', { json: { refreshToken: other.refreshToken } })).status, 401)
    t.equal((await service.call('POST /auth/refresh', { json: { refreshToken: person.refreshToken } })).status, 200)
    t.equal((await service.call('POST /auth/login', { json: { email: person.email, password: PASSWORD } })).status, 401)
    t.equal((await service.call('POST /auth/login', { json: { email: person.email, password: NEW_PASSWORD } })).status, 200)
  })

  t.test('needs the present one', async t => {
    const person = await service.person()
    t.match(await change(person, NEW_PASSWORD, 'not the password'), { status: 401, body: { code: 'invalid_credentials' } })
    t.match(await change(person, '12345678'), { status: 422, body: { code: 'weak_password', errors: [{ field: 'newPassword' }] } })
    t.match(await change({ ...person, accessToken: 'x' }), { status: 401, body: { code: 'invalid_token' } })
    t.match(await versionOf(person), [{ version: 1 }])
    t.strictSame(await ledgerOf(person), [])
  })

  t.test('of two at once one counts', async t => {
    const person = await service.person()
    const answers = await Promise.all([change(person, `${NEW_PASSWORD} 1`), change(person, `${NEW_PASSWORD} 2`)])
    t.strictSame(answers.map(({ status }) => status).sort(), [204, 401])
  })

  t.test('with more than 32 others, and counting those that ended lately, tells the ledger of the user alone', async t => {
    for (const [before, after] of [[0, 33], [20, 20]] as const) {
      const person = await service.person()
      const open = (count: number) => service.sql(`
        INSERT INTO sessions (id, user_id, channel, nonce, key_id, idle_ends_at, ends_at)
        SELECT gen_random_uuid(), $1::uuid, 'body', '\\x00', 'key', now() + interval '1 day', now() + interval '1 day' FROM generate_series(1, $2::int)`, person.user.id, count)
      await open(before)
      if (before > 0) await service.call('DELETE /auth/sessions', { token: person.accessToken })
      await open(after)
      t.equal((await change(person)).status, 204)
      t.match(await ledgerOf(person), [{ kind: 'user', subject: person.user.id }], `${before} and ${after}`)
      t.equal(await verify(person), 401, 'its own access token is older than that')
      const refreshed = await service.call<LoginBody>('POST /auth/refresh', { json: { refreshToken: person.refreshToken } })
      t.equal(await verify(refreshed.body), 200, 'and is had anew')
    }
  })
})
