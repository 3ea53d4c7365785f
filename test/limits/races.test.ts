import { connect } from 'node:net'
import t, { type Test } from 'tap'
import { openDatabase } from '../../src/database/open-database.ts'
import { createLoginGuardStore } from '../../src/limits/login-guard-store.ts'
import { createPostgresAttempts } from '../../src/limits/postgres-attempts-store.ts'
import { createOpenSessionStore } from '../../src/sessions/open-session-store.ts'
import { tcpProxy } from '../database/tcp-proxy.ts'
import { databaseUrl, onPostgres, silent, testDatabase } from '../support/database.ts'
import { connectRedis } from '../support/redis.ts'
import { PASSWORD, startService, type Settings, type TestService } from '../support/service.ts'
import { until } from '../support/until.ts'

const redisUrl = process.env.REDIS_URL
const onBoth = databaseUrl === undefined || redisUrl === undefined ? { skip: 'needs PostgreSQL and Redis: set DATABASE_URL and REDIS_URL' } : {}

// A hundred requests at once wait for ten connections: on a busy machine longer than a client should.
const PATIENT: Settings = { DATABASE_ACQUIRE_TIMEOUT: '30s', DATABASE_STATEMENT_TIMEOUT: '30s' }

/** Two instances on one database, with the same secrets. */
async function startTwo (t: Test, settings: Settings): Promise<[TestService, TestService]> {
  const { url = '', dataDir = '' } = await testDatabase(t)
  const shared = { DATABASE_URL: url, DATA_DIR: dataDir, ...settings }
  const services = [await startService(t, shared), await startService(t, shared)] as [TestService, TestService]
  if ('REDIS_URL' in settings) for (const service of services) await until(async () => (await service.call<{ checks?: unknown }>('GET /health/ready')).text.includes('redis'))
  return services
}

const attempt = (service: TestService, email: string, from = '203.0.113.7') => service.call('POST /auth/login', { json: { email, password: 'a guess' }, from })

async function storm (services: readonly TestService[], count: number, email: string, from?: string): Promise<number[]> {
  const answers = await Promise.all(Array.from({ length: count }, (_, i) => attempt(services[i % services.length] ?? services[0] as TestService, email, from)))
  return answers.map(({ status }) => status)
}

const countOf = (statuses: readonly number[], status: number) => statuses.filter(each => each === status).length

for (const [name, options, settings] of [['Postgres', onPostgres, {}], ['Redis', onBoth, { REDIS_URL: redisUrl ?? '' }]] as const) {
  t.test(`of a hundred logins at once over two instances exactly five are tried, counted in ${name}`, options, async t => {
    const services = await startTwo(t, { ...PATIENT, ...settings, RATE_LIMITS: 'login=5/1m' })
    for (let round = 0; round < 10; round++) {
      const statuses = await storm(services, 100, `nobody-${crypto.randomUUID()}@example.com`, `203.0.113.${round}`)
      t.same([countOf(statuses, 401), countOf(statuses, 429)], [5, 95])
    }
  })
}

t.test('of a hundred refreshes of one session at once over two instances exactly five count', onPostgres, async t => {
  const services = await startTwo(t, { ...PATIENT, RATE_LIMITS: 'refresh=5/1m,register=off' })
  for (let round = 0; round < 10; round++) {
    const { refreshToken } = await services[0].person()
    const answers = await Promise.all(Array.from({ length: 100 }, (_, i) => services[i % 2 as 0 | 1].call('POST /auth/refresh', { json: { refreshToken } })))
    const statuses = answers.map(({ status }) => status)
    // One has rotated, four have repeated it.
    t.same([countOf(statuses, 200), countOf(statuses, 429)], [5, 95])
  }
})

t.test('of a hundred guesses at once at a guard with seven left exactly seven are tried', onPostgres, async t => {
  const services = await startTwo(t, { ...PATIENT, RATE_LIMITS: 'login=off,network=off' })
  for (let round = 0; round < 3; round++) {
    const { user, email } = await services[0].person()
    await services[0].sql("INSERT INTO login_guards (subject, user_id, strangers, last_part) VALUES ('u:' || $1::text, $1::uuid, 53, 's')", user.id)
    const statuses = await storm(services, 100, email)
    t.same([countOf(statuses, 401), countOf(statuses, 429)], [7, 93])
  }
  await attempt(services[0], 'nobody@example.com')
  await services[0].sql("UPDATE login_guards SET strangers = 53 WHERE subject LIKE 'e:%'")
  const statuses = await storm(services, 100, 'nobody@example.com')
  t.same([countOf(statuses, 401), countOf(statuses, 429)], [7, 93], 'the same for an address without an account')
})

t.test('the first failures of an account, many at once, are failures and no faults', onPostgres, async t => {
  const services = await startTwo(t, { ...PATIENT, RATE_LIMITS: 'login=off,network=off,register=off' })
  const stores = services.map(({ database }) => createLoginGuardStore(database, { most: 100, mostOfStrangers: 60, mostOfKnown: 10, decays: true }))
  for (let round = 0; round < 100; round++) {
    const email = `ada-${round}@example.com`
    await services[0].database.prisma.user.create({ data: { id: crypto.randomUUID(), email } })
    const unknown = `e:${email}`
    const guarded = await Promise.all(Array.from({ length: 20 }, (_, i) => stores[i % 2]?.reserveByEmail({ email, unknown, network: null, devices: [] })))
    if (!guarded.every(each => each?.isAdmitted)) t.fail('each is admitted')
    await Promise.all(guarded.map((each, i) => each && stores[i % 2]?.giveBack(each.ticket)))
  }
  t.same(await services[0].sql('SELECT * FROM login_guards'), [], 'and given back, they leave nothing')
  const { email } = await services[0].person()
  t.same([...new Set(await storm(services, 20, email))], [401])
})

t.test('attempts and successes of one account and network do not wait for each other in a circle', onPostgres, async t => {
  const { url = '', dataDir = '' } = await testDatabase(t)
  const databases = [await openDatabase({ url, dataDir, log: silent }), await openDatabase({ url, dataDir, log: silent })] as const
  t.teardown(() => Promise.all(databases.map(database => database.close())))
  const [{ prisma, query }] = databases
  const { id } = await prisma.user.create({ data: { id: crypto.randomUUID(), email: 'ada@example.com', passwordHash: 'a hash' } })
  const [network, login] = [`network:${id}`, `login:${id}`]
  const keys = [network, login].map(key => ({ key, windows: [{ limit: 10_000, seconds: 60 }], isDelayed: false }))
  const instances = databases.map(database => ({ attempts: createPostgresAttempts(database), sessions: createOpenSessionStore(database) }))
  await Promise.all(Array.from({ length: 8 }, async (_, i) => {
    for (let round = 0; round < 40; round++) {
      const { attempts, sessions } = instances[i % 2] as typeof instances[number]
      const { keys: [hit] } = await attempts.reserve(keys)
      const settlement = { returnedKey: network, returnedStamp: hit?.stamp ?? 0, forgottenKey: login, guardSubject: null, guardPart: null }
      const session = { id: crypto.randomUUID(), channel: 'body' as const, nonce: Buffer.alloc(16), secretHash: null, keyId: 'k', ip: null, userAgent: null, networkTag: null, idleTtl: 100, ttl: 100 }
      await sessions.insert(session, { id, passwordHash: 'a hash', settlement })
    }
  }))
  // An attempt begins anew after a deadlock, so that only the database tells of it.
  const deadlocks = async () => {
    await query({ name: 'test flush', text: 'SELECT pg_stat_force_next_flush()' }, [])
    const [row] = await query<{ deadlocks: number }>({ name: 'test deadlocks', text: 'SELECT deadlocks::int FROM pg_stat_database WHERE datname = current_database()' }, [])
    return row?.deadlocks
  }
  t.equal(await deadlocks(), 0)
  t.same(await query({ name: 'test rows', text: 'SELECT * FROM attempts' }, []), [], 'nothing is left of what succeeded')
})

t.test('what is stored with a session is not the key that its network is counted under', onPostgres, async t => {
  const [service] = await startTwo(t, { RATE_LIMITS: 'login=5/1m,network=60/1m' })
  const person = await service.person()
  await service.call('POST /auth/login', { json: { email: person.email, password: PASSWORD }, from: '203.0.113.7' })
  await attempt(service, person.email)
  const tags = (await service.sql<{ network: string }>('SELECT network FROM sessions WHERE network IS NOT NULL')).map(({ network }) => network)
  const keys = (await service.sql<{ key: string }>('SELECT key FROM attempts')).map(({ key }) => key)
  t.ok(tags.length > 0 && keys.some(key => key.startsWith('network:')))
  t.same(keys.filter(key => tags.some(tag => key.endsWith(tag))), [])
})

for (const fault of ['cut', 'freeze'] as const) {
  t.test(`a Redis that is ${fault === 'cut' ? 'killed' : 'hung'} in the middle of a storm lifts no limit`, onBoth, async t => {
    const proxy = await tcpProxy(redisUrl ?? '')
    t.teardown(proxy.close)
    const services = await startTwo(t, { ...PATIENT, REDIS_URL: proxy.url, RATE_LIMITS: 'login=5/1m' })
    const email = `nobody-${crypto.randomUUID()}@example.com`
    let isBroken = false
    const [service] = services
    const { query } = service.database
    t.teardown(() => { service.database.query = query })
    const first = storm(services, 100, email)
    await Promise.race(services.map(each => attempt(each, `nobody-${crypto.randomUUID()}@example.com`, '192.0.2.1')))
    isBroken = true
    await proxy[fault]()
    const statuses = [...await first, ...await storm(services, 50, email), ...await storm(services, 50, email)]
    t.ok(isBroken && countOf(statuses, 401) >= 5 && countOf(statuses, 401) <= 10, `${countOf(statuses, 401)} of 200 were tried`)
    t.equal(countOf(statuses, 401) + countOf(statuses, 429), 200)
    t.same([...new Set(await storm(services, 10, email))], [429])
    for (const { log } of services) t.ok(log.filter(({ msg, level }) => level >= 40 && msg.startsWith('redis')).length <= 1)
  })
}

t.test('what is kept in Redis can be read by nobody, and ends by itself', onBoth, async t => {
  const redis = await connectRedis(t)
  const [service] = await startTwo(t, { REDIS_URL: redisUrl ?? '', RATE_LIMITS: 'login=5/1m' })
  const before = new Set(await redis.keys('countersign:{attempts}:*'))
  const person = await service.person()
  await attempt(service, person.email, '203.0.113.200')
  await service.logIn(person)
  await service.call('POST /auth/refresh', { json: { refreshToken: person.refreshToken } })
  const keys = (await redis.keys('countersign:{attempts}:*')).filter(key => !before.has(key))
  t.ok(keys.length >= 4)
  for (const key of keys) {
    t.match(key, /^countersign:\{attempts\}:[a-z]+:[\w-]{22}$/)
    t.ok(await redis.pttl(key) > 0)
    t.match((await redis.zrange(key, '0', '-1')).join(), /^[\d,]*$/)
  }
})

t.test('who guesses and leaves has guessed', async t => {
  const service = await startService(t, { RATE_LIMITS: 'login=off,network=off', HASH_CONCURRENCY: '1' })
  const person = await service.person()
  const { port } = new URL(await service.listen())
  const body = JSON.stringify({ email: person.email, password: 'a guess' })

  async function guessAndLeave (i: number): Promise<void> {
    const socket = connect(Number(port), '127.0.0.1')
    const closed = new Promise(resolve => { socket.on('close', resolve) })
    // The answer is thrown away: without a reader the socket would never end.
    socket.on('error', () => {}).resume()
    // From at once to after the hash: whenever it leaves, the count below is the same.
    socket.write(`POST /auth/login HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`)
    if (i % 4 !== 0) setTimeout(() => socket.destroy(), i % 40)
    await closed
  }

  for (let i = 0; i < 1_000; i += 20) await Promise.all(Array.from({ length: 20 }, (_, j) => guessAndLeave(i + j)))
  await until(async () => {
    const { text } = await service.call('GET /metrics')
    return /countersign_hash_queue_running 0/.test(text) && /countersign_hash_queue_waiting 0/.test(text)
  })
  // The attempts in progress are done when a login that came later is.
  await attempt(service, 'nobody@example.com')
  const [guard] = await service.sql<{ failures: number }>("SELECT strangers + (SELECT coalesce(sum((value->>0)::int), 0) FROM jsonb_each(known))::int AS failures FROM login_guards WHERE subject LIKE 'u:%'")
  // Each guess that was verified is in the audit trail; listing it writes what was counted.
  await service.call('GET /admin/audit', { token: (await service.admin()).accessToken })
  const [{ own } = { own: 0 }] = await service.sql<{ own: number }>(`SELECT sum(times)::int AS own FROM audit_events WHERE action = 'login' AND outcome = 'failure' AND subject_id = '${person.user.id}'`)
  t.ok(own > 0)
  t.equal(guard?.failures, own, 'each guess that was verified counts, and no other')
  t.ok(own <= 10, 'the part of a known network')
})
