import { randomBytes } from 'node:crypto'
import t from 'tap'
import { altered } from '../support/altered.ts'
import { startService } from '../support/service.ts'
import { watchStatements } from '../support/statements.ts'
import { until } from '../support/until.ts'
import { statefulSession } from './session-rows.ts'

t.test('a stateful session', async t => {
  const service = await startService(t)
  const statements = watchStatements(service)
  const verify = (session: string) => service.call<{ id: string, sessionId: string, role: string, credential: string, tokenId: null }>('GET /auth/verify', { cookies: { session } })
  const change = (sessionId: string, set: string) => service.sql(`UPDATE sessions SET ${set} WHERE id = $1::uuid`, sessionId)

  t.test('is an opaque secret of which only the hash is stored', async t => {
    const person = await service.person()
    const { session } = await statefulSession(service, person)
    t.match(session, /^[\w-]{43}$/)
    const [row] = await service.sql<{ kept: boolean }>('SELECT secret_hash = sha256($2::bytea) AS kept FROM sessions WHERE user_id = $1::uuid AND channel = \'session\'', person.user.id, Buffer.from(session))
    t.ok(row?.kept)
  })

  t.test('is authenticated with the same principal as by a token', async t => {
    const person = await service.person()
    const { session } = await statefulSession(service, person)
    const { status, body } = await verify(session)
    const ofToken = await service.call<Record<string, unknown>>('GET /auth/verify', { token: person.accessToken })
    t.equal(status, 200)
    t.match(body, { id: person.user.id, role: 'user', credential: 'session', tokenId: null, scopes: [] })
    t.strictSame(Object.keys(body).sort(), Object.keys(ofToken.body).sort())
  })

  t.test('is read from Postgres once, and then from the cache', async t => {
    const { session } = await statefulSession(service, await service.person())
    statements.length = 0
    for (let count = 0; count < 20; count++) t.equal((await verify(session)).status, 200)
    t.strictSame(statements, ['sessions.find-stateful'])
  })

  t.test('slides its idle end without a write per request', async t => {
    const { session } = await statefulSession(service, await service.person())
    const { body: { sessionId } } = await verify(session)
    await change(sessionId, "last_seen_at = now() - interval '1 day', idle_ends_at = now() + interval '6 days', secret_hash = secret_hash")
    const { databaseUrl, secrets, jwtSecrets } = service.config
    if (databaseUrl === undefined) return t.equal(service.database.engine, 'embedded', 'the embedded engine takes one process')
    const other = await startService(t, { DATABASE_URL: databaseUrl, COUNTERSIGN_SECRET: secrets.join(), JWT_SECRET: jwtSecrets.join() })
    const writes = watchStatements(other)
    const verifyThere = () => other.call('GET /auth/verify', { cookies: { session } })
    for (let count = 0; count < 20; count++) t.equal((await verifyThere()).status, 200)
    const slid = async () => {
      const [row] = await service.sql<{ slid: boolean }>("SELECT idle_ends_at > now() + interval '6 days 23 hours' AND last_seen_at > now() - interval '1 hour' AS slid FROM sessions WHERE id = $1::uuid", sessionId)
      return row?.slid === true
    }
    await until(slid)
    for (let count = 0; count < 20; count++) await verifyThere()
    t.strictSame(writes.filter(name => name === 'sessions.touch').length, 1)
  })

  t.test('has a tenth more than its idle life from every write: that much may pass before a use is written', async t => {
    const { session } = await statefulSession(service, await service.person())
    const { body: { sessionId } } = await verify(session)
    const [row] = await service.sql("SELECT idle_ends_at - last_seen_at >= interval '7 days' * 1.1 - interval '1 second' AS slack FROM sessions WHERE id = $1::uuid", sessionId)
    t.strictSame(row, { slack: true })
  })

  t.test('never slides past its absolute end', async t => {
    const { session } = await statefulSession(service, await service.person())
    const [row] = await service.sql<{ capped: boolean }>("UPDATE sessions SET ends_at = now() + interval '1 day', last_seen_at = now() - interval '2 days' WHERE secret_hash = sha256($1::bytea) RETURNING true AS capped", Buffer.from(session))
    t.ok(row?.capped)
    await verify(session)
    await until(async () => {
      const [after] = await service.sql<{ capped: boolean }>("SELECT idle_ends_at = ends_at AND last_seen_at > now() - interval '1 hour' AS capped FROM sessions WHERE secret_hash = sha256($1::bytea)", Buffer.from(session))
      return after?.capped === true
    })
  })

  t.test('ends at its idle end and at its absolute end', async t => {
    for (const over of ["idle_ends_at = now() - interval '1 second'", "ends_at = now() - interval '1 second'"]) {
      const { session } = await statefulSession(service, await service.person())
      await service.sql(`UPDATE sessions SET ${over} WHERE secret_hash = sha256($1::bytea)`, Buffer.from(session))
      t.match(await verify(session), { status: 401, body: { code: 'invalid_token' } }, over)
    }
  })

  t.test('a forged cookie is refused', async t => {
    const { session } = await statefulSession(service, await service.person())
    statements.length = 0
    for (const cookie of ['', 'x', `${session}x`, session.slice(1), 'x'.repeat(4000)]) t.equal((await verify(cookie)).status, 401, cookie.slice(0, 50))
    t.strictSame(statements, [], 'without a look at the database')
    t.equal((await verify(altered(session))).status, 401)
  })

  t.test('a cookie of no live session costs one query, however often it is repeated', async t => {
    const over = await statefulSession(service, await service.person())
    await service.call('POST /auth/logout', { cookies: over, headers: { 'x-countersign': '1' } })
    const expired = await statefulSession(service, await service.person())
    await service.sql("UPDATE sessions SET idle_ends_at = now() - interval '1 second' WHERE secret_hash = sha256($1::bytea)", Buffer.from(expired.session))
    for (const session of [randomBytes(32).toString('base64url'), expired.session, over.session]) {
      statements.length = 0
      for (let count = 0; count < 20; count++) t.equal((await verify(session)).status, 401)
      t.ok(statements.length <= 1, `${statements}`)
    }
  })

  t.test('a new one is accepted, whatever was refused before', async t => {
    await verify(randomBytes(32).toString('base64url'))
    t.equal((await verify((await statefulSession(service, await service.person())).session)).status, 200)
  })

  t.test('cannot be refreshed, nor its id be used', async t => {
    const { session } = await statefulSession(service, await service.person())
    t.equal((await service.call('POST /auth/refresh', { cookies: { refresh: session }, headers: { 'sec-fetch-site': 'same-origin' } })).status, 401)
    t.equal((await service.call('POST /auth/refresh', { json: { refreshToken: session } })).status, 401)
    t.equal((await service.call('GET /auth/verify', { token: session })).status, 401)
  })

  t.test('the 101st ends the oldest', async t => {
    const person = await service.person()
    const { session } = await statefulSession(service, person)
    t.equal((await verify(session)).status, 200)
    await service.sql("UPDATE sessions SET created_at = now() - interval '1 day' WHERE secret_hash = sha256($1::bytea)", Buffer.from(session))
    await service.sql(`
      INSERT INTO sessions (id, user_id, channel, nonce, key_id, idle_ends_at, ends_at)
      SELECT gen_random_uuid(), $1::uuid, 'body', '\\x00', 'key', now() + interval '1 day', now() + interval '1 day' FROM generate_series(1, 97)`, person.user.id)
    const [newest] = [await service.logIn(person)]
    t.equal((await verify(session)).status, 200, 'a hundred are allowed')
    await service.logIn(person)
    t.equal((await verify(session)).status, 401, 'one more is not')
    t.equal((await service.call('GET /auth/verify', { token: newest.accessToken })).status, 200)
    const [live] = await service.sql<{ count: number }>('SELECT count(*)::int AS count FROM sessions WHERE user_id = $1::uuid AND ended_at IS NULL', person.user.id)
    t.equal(live?.count, 100)
  })
})
