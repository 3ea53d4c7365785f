import { createHash } from 'node:crypto'
import { Redis } from 'ioredis'
import t, { type Test } from 'tap'
import { createSessionSecret } from '../../src/sessions/session-secret.ts'
import { createSignedCacheEntry } from '../../src/sessions/cache/signed-cache-entry.ts'
import { deriveKeyRing } from '../../src/tokens/derived-keys.ts'
import { tcpProxy } from '../database/tcp-proxy.ts'
import { databaseUrl, testDatabase } from '../support/database.ts'
import { age, present } from '../support/presence.ts'
import { isProblem } from '../support/problem.ts'
import { isReady } from '../support/ready.ts'
import { PASSWORD, startService, type Person, type TestService } from '../support/service.ts'
import { watchStatements } from '../support/statements.ts'
import { until } from '../support/until.ts'
import { statefulSession } from './session-rows.ts'

const redisUrl = process.env.REDIS_URL ?? ''
const onRedis = redisUrl === '' ? { skip: 'needs Redis: set REDIS_URL' } : {}
const onBoth = redisUrl === '' || databaseUrl === undefined ? { skip: 'needs PostgreSQL and Redis: set DATABASE_URL and REDIS_URL' } : {}

interface Record { sessionId: string, confirmedAt: number }

const hashOf = (session: string) => createHash('sha256').update(session).digest()

/** Redis, and what is cached there of a session. */
function redisOf (t: Test) {
  const redis = new Redis(redisUrl)
  t.teardown(() => redis.disconnect())
  const keyOf = (session: string) => `countersign:session:${hashOf(session).toString('base64url')}`
  return {
    keyOf,
    redis,
    async read (session: string): Promise<Record | undefined> {
      const copy = await redis.get(keyOf(session))
      return copy === null || copy === '' ? undefined : JSON.parse(copy.slice(copy.indexOf('.') + 1)) as Record
    }
  }
}

const verify = (service: TestService, session: string) => service.call<{ code?: string, role?: string }>('GET /auth/verify', { cookies: { session } })

/** Services that share a database and a redis; each has a cache of its own in memory. */
async function startTwo (t: Test, settings: { REDIS_URL: string }): Promise<[TestService, TestService]> {
  const { url = '', dataDir } = await testDatabase(t)
  const first = await startService(t, { DATABASE_URL: url, DATA_DIR: dataDir, ...settings })
  return [first, await startService(t, { ...sharedWith(first), ...settings })]
}

/** The settings of another instance on the same database, with the same secrets. */
function sharedWith ({ config: { databaseUrl = '', dataDir, secrets, jwtSecrets } }: TestService) {
  return { DATABASE_URL: databaseUrl, DATA_DIR: dataDir, COUNTERSIGN_SECRET: secrets.join(), JWT_SECRET: jwtSecrets.join() }
}

async function logOut (service: TestService, session: string): Promise<void> {
  const { status } = await service.call('POST /auth/logout', { cookies: { session }, headers: { 'x-countersign': '1' } })
  if (status !== 204) throw new Error(`Logging out was answered ${status}`)
}

t.test('a session cached in redis', onRedis, async t => {
  const { redis, keyOf, read } = redisOf(t)
  const service = await startService(t, { REDIS_URL: redisUrl })
  await until(async () => await isReady(service))

  t.test('is written as the session is opened, and ends by itself within an hour', async t => {
    const { session } = await statefulSession(service, await service.person())
    t.match(await read(session), { sessionId: String, confirmedAt: Number })
    const life = await redis.pttl(keyOf(session))
    t.ok(life > 3_590_000 && life <= 3_600_000)
    t.notOk((await redis.get(keyOf(session)))?.includes(session), 'and contains no secret')
  })

  t.test('proves no presence: Postgres decides when its owner logged in', async t => {
    const admin = await service.admin()
    const { session } = await statefulSession(service, admin)
    const endSessions = () => service.call('DELETE /admin/users/01890a5d-ac96-774b-bcce-b302099a8057/sessions', { cookies: { session }, headers: { 'x-countersign': '1' } })
    isProblem(t, await endSessions(), 'not_found')
    await age(service, admin.user.id)
    t.equal((await verify(service, session)).status, 200)
    t.ok(await read(session), 'the copy is there')
    isProblem(t, await endSessions(), 'insufficient_user_authentication')
  })

  t.test('opens nothing once a new password gave the session another id', async t => {
    const { session } = await statefulSession(service, await service.person())
    const answer = await service.call('POST /auth/password', { cookies: { session }, headers: { 'x-countersign': '1' }, json: { currentPassword: PASSWORD, newPassword: 'a staple of nine words' } })
    t.equal(answer.status, 200)
    t.ok(await read(session), 'the copy of before is there')
    t.equal((await verify(service, session)).status, 401)
    t.equal((await verify(service, answer.cookies.session?.value ?? '')).status, 200)
  })

  t.test('is deleted once its session is logged out, or ended from the list', async t => {
    const isGone = (session: string) => until(async () => await read(session) === undefined, 2_000)
    const headers = { 'x-countersign': '1' }
    const person = await service.person()
    const bySecret = await statefulSession(service, person)
    t.ok(await read(bySecret.session))
    t.equal((await service.call('POST /auth/logout', { cookies: bySecret, headers })).status, 204)
    await isGone(bySecret.session)

    const [first, second, third, fourth] = [await statefulSession(service, person), await statefulSession(service, person), await statefulSession(service, person), await statefulSession(service, person)]
    const { sessionId: id = '' } = await read(first.session) ?? {}
    t.equal((await service.call(`DELETE /auth/sessions/${id}`, { cookies: fourth, headers })).status, 204)
    await isGone(first.session)
    t.equal((await service.call('DELETE /auth/sessions', { cookies: fourth, headers })).status, 204)
    await Promise.all([isGone(second.session), isGone(third.session)])
    t.ok(await read(fourth.session), 'the one that goes on keeps its copy')
    t.equal((await verify(service, fourth.session)).status, 200)
  })

  t.test('is deleted, too, once somebody shows the cookie of a session that has ended otherwise', async t => {
    const admin = await service.admin()
    const person = await service.person()
    const { session } = await statefulSession(service, person)
    t.equal((await service.call(`DELETE /admin/users/${person.user.id}/sessions`, present(admin))).status, 204)
    t.equal((await verify(service, session)).status, 401)
    await until(async () => await read(session) === undefined, 2_000)
  })

  t.test('gives the same principal as Postgres', async t => {
    const { session } = await statefulSession(service, await service.person())
    const statements = watchStatements(service)
    const fromCopy = await verify(service, session)
    t.strictSame(statements, [])
    const written = await read(session)
    await redis.del(keyOf(session))
    const other = await startService(t, { ...sharedWith(service), REDIS_URL: redisUrl }).catch(() => undefined)
    if (other === undefined) return t.equal(service.database.engine, 'embedded', 'the embedded engine takes one process')
    await until(async () => await isReady(other))
    t.strictSame((await verify(other, session)).body, fromCopy.body)
    const confirmed = await read(session)
    t.strictSame({ ...written, confirmedAt: 0 }, { ...confirmed, confirmedAt: 0 })
  })

  t.test('ends with the session where that is sooner', async t => {
    const { session } = await statefulSession(service, await service.person())
    await redis.del(keyOf(session))
    await service.sql("UPDATE sessions SET idle_ends_at = now() + interval '100 seconds' WHERE secret_hash = sha256($1::bytea)", Buffer.from(session))
    await verify(service, session)
    t.ok(await redis.pttl(keyOf(session)) <= 100_000)
  })

  t.test('whose key has another type counts as a cache miss, and its content is not quoted', async t => {
    const canary = 'canary-in-redis'
    for (const [type, write] of Object.entries({
      list: (key: string) => redis.rpush(key, canary),
      set: (key: string) => redis.sadd(key, canary),
      hash: (key: string) => redis.hset(key, canary, canary),
      stream: (key: string) => redis.xadd(key, '*', canary, canary)
    })) {
      const { session } = await statefulSession(service, await service.person())
      await redis.del(keyOf(session))
      await write(keyOf(session))
      t.equal((await verify(service, session)).status, 200, type)
      t.match(await read(session), { sessionId: String }, 'and is put right')
    }
    t.notMatch(service.logText(), canary)
  })

  t.test('that was changed counts as a cache miss', async t => {
    for (const text of ['', 'x', '{}', 'null', '[]', '{"sessionId":"x"}']) {
      const { session } = await statefulSession(service, await service.person())
      await redis.set(keyOf(session), text)
      t.equal((await verify(service, session)).status, 200, text)
      t.match(await read(session), { sessionId: String }, 'and is put right')
    }
  })
})

t.test('a forged entry in redis lets nobody in', onRedis, async t => {
  const { redis, keyOf } = redisOf(t)
  const service = await startService(t, { REDIS_URL: redisUrl })
  await until(async () => await isReady(service))
  const mine = await statefulSession(service, await service.person())
  const good = await redis.get(keyOf(mine.session)) ?? ''
  const [mac = '', json = ''] = [good.slice(0, good.indexOf('.')), good.slice(good.indexOf('.') + 1)]
  const asAdmin = json.replace('"role":"user"', '"role":"admin"')
  t.not(asAdmin, json)

  const forged = [json, asAdmin, `.${asAdmin}`, `${mac}.${asAdmin}`, `${Buffer.alloc(32).toString('base64url')}.${json}`]
  for (const copy of [...forged, good]) {
    // Well formed, so that only the entry in redis could make it valid.
    const { text: invented } = createSessionSecret()
    await redis.set(keyOf(invented), copy, 'EX', 60)
    t.equal((await verify(service, invented)).status, 401, copy)
  }

  const fresh = await startService(t, { ...sharedWith(service), REDIS_URL: redisUrl }).catch(() => undefined)
  if (fresh === undefined) return t.equal(service.database.engine, 'embedded', 'the embedded engine takes one process')
  await until(async () => await isReady(fresh))
  await redis.set(keyOf(mine.session), `${mac}.${asAdmin}`)
  t.match(await verify(fresh, mine.session), { status: 200, body: { role: 'user' } })
})

t.test('two instances on one redis', onBoth, async t => {
  const { redis, keyOf, read } = redisOf(t)
  const [a, b] = await startTwo(t, { REDIS_URL: redisUrl })
  await until(async () => await isReady(b))
  const statements = watchStatements(b)
  const signed = createSignedCacheEntry(deriveKeyRing(a.config.secrets, 'session-copy'))

  t.test('one reads from redis what the other has read from Postgres', async t => {
    const { session } = await statefulSession(a, await a.person())
    await verify(a, session)
    statements.length = 0
    t.equal((await verify(b, session)).status, 200)
    t.strictSame(statements, [])
  })

  t.test('a record that outlived its session, or came back after it, is refused', async t => {
    const { session } = await statefulSession(a, await a.person())
    await verify(a, session)
    const old = await redis.get(keyOf(session)) ?? ''
    await logOut(a, session)
    await redis.set(keyOf(session), old)
    for (const service of [a, b]) {
      await until(async () => (await verify(service, session)).status === 401, 1_600)
      t.match(await verify(service, session), { status: 401, body: { code: 'invalid_token' } })
    }
  })

  t.test('a record that was read from Postgres over an hour ago is not used', async t => {
    for (const [age, status] of [[3_590, 200], [3_601, 401]] as const) {
      const { session } = await statefulSession(a, await a.person())
      await verify(a, session)
      const record = await read(session)
      await a.sql('UPDATE sessions SET ended_at = now() WHERE id = $1::uuid', record?.sessionId)
      await redis.set(keyOf(session), signed.write(hashOf(session), JSON.stringify({ ...record, confirmedAt: (record?.confirmedAt ?? 0) - age })))
      t.equal((await verify(b, session)).status, status, `${age} s: the ledger has no entry, so only the age decides`)
    }
  })

  t.test('a role that changed is read from Postgres, whatever redis says', async t => {
    const person: Person = await a.person()
    const { session } = await statefulSession(a, person)
    const admin = await a.admin()
    t.match(await verify(b, session), { body: { role: 'user' } })
    await a.call(`PATCH /admin/users/${person.user.id}`, present(admin, { role: 'admin' }))
    t.match(await verify(a, session), { status: 200, body: { role: 'admin' } })
    await until(async () => (await verify(b, session)).body.role === 'admin', 1_600)
  })
})

t.test('while redis is cut off', onRedis, async t => {
  const proxy = await tcpProxy(redisUrl)
  t.teardown(() => proxy.close())
  const service = await startService(t, { REDIS_URL: proxy.url })
  await until(async () => await isReady(service))
  const statements = watchStatements(service)
  const person = await service.person()
  const [known, unknown, ended] = [await statefulSession(service, person), await statefulSession(service, person), await statefulSession(service, person)]
  for (const { session } of [known, ended]) t.equal((await verify(service, session)).status, 200)

  for (const way of ['cut', 'freeze'] as const) {
    await proxy[way]()
    const began = performance.now()
    t.equal((await verify(service, known.session)).status, 200)
    statements.length = 0
    const fresh = await statefulSession(service, person)
    t.equal((await verify(service, fresh.session)).status, 200, `${way}: Postgres answers`)
    t.equal((await verify(service, unknown.session)).status, 200)
    t.ok(statements.includes('sessions.find-stateful'))
    t.ok(performance.now() - began < 3_000, 'and no request waits for redis')
    const ready = await service.call<{ checks: unknown }>('GET /health/ready')
    t.match(ready, { status: 200, body: { status: 'degraded', checks: { database: 'ok', redis: 'down' } } })
    t.equal((await service.call('POST /auth/login', { json: { email: person.email, password: person.password } })).status, 200)
    if (way === 'cut') await logOut(service, ended.session)
    t.equal((await verify(service, ended.session)).status, 401, 'what is ended meanwhile is refused')
    await proxy.heal()
    if (way === 'freeze') { await proxy.cut(); await proxy.heal() }
    await until(async () => await isReady(service))
    t.equal((await verify(service, ended.session)).status, 401, 'also when redis is back with its old record')
    t.equal((await verify(service, known.session)).status, 200)
  }
})

t.test('with both cut off a session gets neither 200 nor 401', onBoth, async t => {
  const { url = '', dataDir } = await testDatabase(t)
  const [postgres, redis] = [await tcpProxy(url), await tcpProxy(redisUrl)]
  t.teardown(() => Promise.all([postgres.close(), redis.close()]))
  const service = await startService(t, { DATABASE_URL: postgres.url, DATA_DIR: dataDir, REDIS_URL: redis.url })
  const { session } = await statefulSession(service, await service.person())
  const { redis: behind, keyOf } = redisOf(t)
  await behind.del(keyOf(session))
  await Promise.all([postgres.cut(), redis.cut()])
  t.match(await verify(service, session), { status: 503, body: { code: 'unavailable' } })
  t.match((await service.call<{ checks: unknown }>('GET /health/ready')), { status: 200, body: { checks: { database: 'down', redis: 'down' } } })
  await redis.heal()
  t.equal((await verify(service, session)).status, 503)
  await postgres.heal()
  await until(async () => (await verify(service, session)).status === 200)
  t.equal((await verify(service, session)).status, 200)
})
