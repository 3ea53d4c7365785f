import t from 'tap'
import { startService, PASSWORD, type Call, type LoginBody, type Person } from '../support/service.ts'
import { rowOf, sessionIdOf, statefulSession } from './session-rows.ts'

const FIREFOX = 'Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0'

interface Device { id: string, current: boolean, deliver: string, device: string | null, userAgent: string | null, ip: string | null, createdAt: string, lastSeenAt: string, expiresAt: string }

t.test('a user\'s own sessions', async t => {
  const service = await startService(t)
  const list = async ({ accessToken }: LoginBody) => (await service.call<{ items: Device[] }>('GET /auth/sessions', { token: accessToken })).body.items
  const end = (id: string, { accessToken }: LoginBody) => service.call(`DELETE /auth/sessions/${id}`, { token: accessToken })
  const verify = async ({ accessToken }: LoginBody) => (await service.call('GET /auth/verify', { token: accessToken })).status
  const logIn = (person: Person, call: Call) => service.call<LoginBody>('POST /auth/login', { ...call, json: { email: person.email, password: PASSWORD } })

  t.test('are listed with their devices, in words, and with which one is the current', async t => {
    const person = await service.person()
    const { body: other } = await logIn(person, { from: '203.0.113.7', headers: { 'user-agent': FIREFOX } })
    const answer = await service.call<{ items: Device[] }>('GET /auth/sessions', { token: person.accessToken })
    t.match(answer, { status: 200, headers: { 'cache-control': 'no-store' } })
    t.match(answer.body.items.find(({ id }) => id === sessionIdOf(other)), { current: false, deliver: 'body', device: 'Firefox on Windows', userAgent: FIREFOX, ip: '203.0.113.7' })
    t.match(answer.body.items.find(({ id }) => id === sessionIdOf(person)), { current: true })
    t.equal(answer.body.items.length, 2)
    for (const { createdAt, lastSeenAt, expiresAt } of answer.body.items) t.ok(createdAt <= lastSeenAt && lastSeenAt < expiresAt)
  })

  t.test('are listed in the order of their last use', async t => {
    const person = await service.person()
    const other = await service.logIn(person)
    await service.sql("UPDATE sessions SET last_seen_at = now() - interval '1 hour' WHERE id = $1::uuid", sessionIdOf(other))
    t.strictSame((await list(person)).map(({ id }) => id), [sessionIdOf(person), sessionIdOf(other)])
    await service.call('POST /auth/refresh', { json: { refreshToken: other.refreshToken }, from: '203.0.113.9' })
    t.match(await list(person), [{ id: sessionIdOf(other), ip: '203.0.113.9' }, { id: sessionIdOf(person) }])
  })

  t.test('are listed only while they live, and only to their owner', async t => {
    const [person, stranger] = [await service.person(), await service.person()]
    for (const over of ["idle_ends_at = now() - interval '1 second'", "ends_at = now() - interval '1 second'", 'ended_at = now()']) {
      await service.sql(`UPDATE sessions SET ${over} WHERE id = $1::uuid`, sessionIdOf(await service.logIn(person)))
    }
    t.strictSame((await list(person)).map(({ id }) => id), [sessionIdOf(person)])
    t.strictSame((await list(stranger)).map(({ id }) => id), [sessionIdOf(stranger)])
    t.equal((await service.call('GET /auth/sessions')).status, 401)
  })

  t.test('end one by one, at once', async t => {
    const person = await service.person()
    const other = await service.logIn(person)
    t.equal((await end(sessionIdOf(other), person)).status, 204)
    t.equal(await verify(other), 401)
    t.equal((await service.call('POST /auth/refresh', { json: { refreshToken: other.refreshToken } })).status, 401)
    t.match(await rowOf(service, other), { endedReason: 'ended' })
    t.equal(await verify(person), 200)
    t.match(await service.sql('SELECT outcome, actor_id AS actor FROM audit_events WHERE session_id = $1::uuid AND action = \'session_end\'', sessionIdOf(other)), [{ outcome: 'success', actor: person.user.id }])
    t.match(await end(sessionIdOf(other), person), { status: 404, body: { code: 'not_found' } }, 'what has ended is not there')
    t.equal((await end(sessionIdOf(person), person)).status, 204, 'one\'s own as well')
    t.equal(await verify(person), 401)
  })

  t.test('end in whatever case their id is written, and everywhere', async t => {
    const person = await service.person()
    const other = await service.logIn(person)
    t.equal((await end(sessionIdOf(other).toUpperCase(), person)).status, 204)
    t.equal(await verify(other), 401)
    t.strictSame(await service.sql('SELECT subject FROM revocations WHERE user_id = $1::uuid', person.user.id), [{ subject: sessionIdOf(other) }], 'the ledger has it as tokens do')
  })

  t.test('of another account are not found', async t => {
    const [person, stranger] = [await service.person(), await service.person()]
    const before = await rowOf(service, person)
    const answer = await end(sessionIdOf(person), stranger)
    t.match(answer, { status: 404, body: { code: 'not_found' } })
    t.equal(answer.text, (await end('01890a5d-ac96-774b-bcce-b302099a8057', stranger)).text, 'no more than one that never was')
    t.equal((await end('not-an-id', stranger)).status, 422)
    t.strictSame(await rowOf(service, person), before)
    t.equal(await verify(person), 200)
  })

  t.test('all end but the current one', async t => {
    const person = await service.person()
    const others = [await service.logIn(person), await service.logIn(person)]
    const cookies = await statefulSession(service, person)
    t.equal((await service.call('GET /auth/verify', { cookies })).status, 200)
    t.equal((await service.call('DELETE /auth/sessions', { token: person.accessToken })).status, 204)
    for (const other of others) t.equal(await verify(other), 401)
    t.equal((await service.call('GET /auth/verify', { cookies })).status, 401)
    t.equal(await verify(person), 200)
    t.strictSame((await list(person)).map(({ id }) => id), [sessionIdOf(person)])
    t.equal((await service.call('DELETE /auth/sessions', { token: person.accessToken })).status, 204, 'again, though there are none')
  })

  t.test('ending more than 32 others leaves this one with its access token', async t => {
    const person = await service.person()
    for (let count = 0; count < 34; count++) await service.logIn(person)
    const other = await service.logIn(person)
    t.equal((await service.call('DELETE /auth/sessions', { token: person.accessToken })).status, 204)
    t.equal(await verify(person), 200)
    t.equal(await verify(other), 401)
    t.equal((await service.call('POST /auth/refresh', { json: { refreshToken: other.refreshToken } })).status, 401)
    t.equal((await service.call('POST /auth/refresh', { json: { refreshToken: person.refreshToken } })).status, 200)
    const rows = async () => (await service.sql<{ kind: string }>('SELECT kind::text AS kind FROM revocations WHERE subject = $1 OR user_id = $1::uuid', person.user.id)).map(({ kind }) => kind)
    t.strictSame(new Set(await rows()), new Set(['session']))
    const last = await service.logIn(person)
    await service.call('POST /auth/logout', { token: last.accessToken })
    t.strictSame(await rows(), ['user'], 'the next that ends collapses them')
  })

  t.test('one by one beyond 32 collapse too', async t => {
    const person = await service.person()
    const others: LoginBody[] = []
    for (let count = 0; count < 33; count++) others.push(await service.logIn(person))
    for (const { accessToken } of others) await service.call('POST /auth/logout', { token: accessToken })
    t.match(await service.sql('SELECT kind::text AS kind FROM revocations WHERE subject = $1 OR user_id = $1::uuid', person.user.id), [{ kind: 'user' }])
    for (const other of others) t.equal(await verify(other), 401)
  })
})
