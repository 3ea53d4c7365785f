import { randomBytes } from 'node:crypto'
import t from 'tap'
import { createLoginGuardPurge } from '../../src/limits/login-guard-store.ts'
import { createPasswordGuesses } from '../../src/accounts/password-guesses.ts'
import { DEFAULT_RATE_LIMITS, rateLimits } from '../../src/config/rate-limits.ts'
import { createAttemptLimiter } from '../../src/limits/attempt-limiter.ts'
import type { AttemptStore } from '../../src/limits/attempt-store.ts'
import { composeLimits } from '../../src/limits/compose.ts'
import { createMemoryAttempts } from '../../src/limits/memory-attempts.ts'
import { createAdmitLogin } from '../../src/sessions/login-attempt.ts'
import { createOpenSessionStore } from '../../src/sessions/open-session-store.ts'
import { isProblem } from '../support/problem.ts'
import { PASSWORD, startService, type TestService } from '../support/service.ts'

const wrong = 'not the right password'
const guess = (service: TestService, email: string, options: { from?: string, password?: string, cookies?: Record<string, string> } = {}) =>
  service.call('POST /auth/login', { json: { email, password: options.password ?? wrong }, from: options.from ?? '203.0.113.7', ...options.cookies !== undefined && { cookies: options.cookies, headers: { 'x-countersign': '1' } } })

async function statuses (count: number, attempt: () => Promise<{ status: number }>): Promise<number[]> {
  const found: number[] = []
  for (let i = 0; i < count; i++) found.push((await attempt()).status)
  return found
}

t.test('logins are limited by account and network', async t => {
  const service = await startService(t, { RATE_LIMITS: 'login=5/1m' })
  const person = await service.person()

  t.test('the sixth attempt of a minute is refused, with what to wait for', async t => {
    t.same(await statuses(5, () => guess(service, person.email)), [401, 401, 401, 401, 401])
    const refused = await guess(service, person.email, { password: PASSWORD })
    isProblem(t, refused, 'too_many_requests')
    const wait = Number(refused.headers['retry-after'])
    t.ok(wait > 50 && wait <= 60)
    t.equal(refused.headers['ratelimit-policy'], '"login";q=5;w=60')
    t.equal(refused.headers.ratelimit, `"login";r=0;t=${wait}`)
  })

  t.test('from another network the same account can still log in, and from this one another account', async t => {
    t.equal((await guess(service, person.email, { from: '203.0.113.8', password: PASSWORD })).status, 200)
    const other = await service.person()
    t.equal((await guess(service, other.email, { password: PASSWORD })).status, 200)
  })

  t.test('every response says how much is left', async t => {
    const other = await service.person()
    const answers = [await guess(service, other.email, { from: '203.0.113.9' }), await guess(service, other.email, { from: '203.0.113.9' })]
    t.same(answers.map(({ headers }) => headers.ratelimit?.slice(0, 11)), ['"login";r=4', '"login";r=3'])
    t.equal(answers[0]?.headers['ratelimit-policy'], '"login";q=5;w=60')
  })

  t.test('a success forgets the failures of this account from here, and counts neither here nor there', async t => {
    const other = await service.person()
    for (let round = 0; round < 4; round++) {
      t.same(await statuses(4, () => guess(service, other.email, { from: '198.51.100.1' })), [401, 401, 401, 401])
      t.equal((await guess(service, other.email, { from: '198.51.100.1', password: PASSWORD })).status, 200)
    }
  })
})

t.test('a network is limited, whatever the account', async t => {
  const service = await startService(t, { RATE_LIMITS: 'network=6/1m,login=off' })
  t.test('an IPv6 network is a /64, and a mapped address is the IPv4 address in it', async t => {
    const froms = ['2001:db8:0:1::1', '2001:db8:0:1:ffff::2', '2001:db8:0:1:2:3:4:5', '2001:db8::1:0:0:0:9', '2001:db8:0:1::a', '2001:db8:0:1::b']
    for (const [i, from] of froms.entries()) t.equal((await guess(service, `nobody-${i}@example.com`, { from })).status, 401)
    const refused = await guess(service, 'nobody@example.com', { from: '2001:db8:0:1::c' })
    isProblem(t, refused, 'too_many_requests')
    t.equal(refused.headers['ratelimit-policy'], '"network";q=6;w=60')
    t.equal((await guess(service, 'nobody@example.com', { from: '2001:db8:0:2::1' })).status, 401)
    for (let i = 0; i < 6; i++) await guess(service, `nobody-${i}@example.com`, { from: i % 2 === 0 ? '192.0.2.1' : '::ffff:192.0.2.1' })
    t.equal((await guess(service, 'nobody@example.com', { from: '192.0.2.1' })).status, 429)
  })

  t.test('a successful login does not count', async t => {
    const person = await service.person()
    t.same(await statuses(8, () => guess(service, person.email, { from: '192.0.2.9', password: PASSWORD })), Array(8).fill(200))
  })
})

t.test('an account and an address without one answer alike, at every stage of being limited', async t => {
  const service = await startService(t, { RATE_LIMITS: 'login=3/1m,lock=10' })
  const person = await service.person()
  const stages = async (email: string) => {
    const seen: unknown[] = []
    for (const from of ['198.51.100.1', '198.51.100.2', '198.51.100.3']) {
      for (let i = 0; i < 4; i++) {
        const { status, body, headers } = await guess(service, email, { from })
        const { 'x-request-id': _id, date: _date, ...others } = headers
        seen.push({ status, body, headers: others })
      }
    }
    return seen
  }
  const round = (value: unknown) => JSON.parse(JSON.stringify(value).replace(/;t=\d+/g, ';t=n').replace(/"retry-after":"\d+"/g, '"retry-after":"n"')) as Array<{ status: number }>
  const [known, unknown] = [round(await stages(person.email)), round(await stages('nobody@example.com'))]
  t.same(known.map(({ status }) => status), [401, 401, 401, 429, 401, 401, 401, 429, 429, 429, 429, 429])
  t.same(known, unknown)
})

t.test('consecutive failures lock a password for strangers', async t => {
  const settings = { RATE_LIMITS: 'login=off,network=off,register=off' }
  const service = await startService(t, settings)

  t.test('sixty from anywhere, and the owner still logs in from a known device or network', async t => {
    const person = await service.person()
    const cookies = await service.cookiesOf(person)
    await guess(service, person.email, { from: '192.0.2.77', password: PASSWORD })
    let count = 0
    const networks = Array.from({ length: 50 }, (_, i) => `198.51.100.${i}`)
    while ((await guess(service, person.email, { from: networks[count % 50] ?? '' })).status === 401) count++
    t.equal(count, 60)

    const refused = await guess(service, person.email, { from: '203.0.113.50', password: PASSWORD })
    isProblem(t, refused, 'too_many_failures')
    t.equal(refused.headers['retry-after'], undefined)
    t.match(refused.body.detail, /device or network where you have logged in before/)

    t.equal((await guess(service, person.email, { from: '203.0.113.50', password: PASSWORD, cookies: { device: cookies.device ?? '' } })).status, 200, 'a known device')
    t.equal((await guess(service, person.email, { from: '192.0.2.77', password: PASSWORD })).status, 200, 'a known network')
    t.equal((await guess(service, person.email, { from: '203.0.113.51', password: PASSWORD })).status, 429, 'their success clears their own part alone')
  })

  t.test('somebody in the network of the owner spends the part of that network alone', async t => {
    const person = await service.person()
    const { device = '' } = await service.cookiesOf(person)
    await guess(service, person.email, { from: '192.0.2.77', password: PASSWORD })
    t.same(await statuses(11, () => guess(service, person.email, { from: '192.0.2.77' })), [...Array<number>(10).fill(401), 429])
    t.equal((await guess(service, person.email, { from: '192.0.2.77', password: PASSWORD, cookies: { device } })).status, 200)
  })

  t.test('all parts together have a hundred', async t => {
    const person = await service.person()
    await service.sql("INSERT INTO login_guards (subject, user_id, strangers, known, last_part) VALUES ('u:' || $1::text, $1::uuid, 60, jsonb_build_object('d:a', jsonb_build_array(10, $2::float8), 'd:b', jsonb_build_array(10, $2::float8), 'd:c', jsonb_build_array(10, $2::float8), 'd:d', jsonb_build_array(9, $2::float8)), 's')", person.user.id, Date.now() / 1000)
    const bearer = (password: string) => service.call('POST /auth/login', { json: { email: person.email, password }, token: person.accessToken })
    t.equal((await bearer(wrong)).status, 401)
    isProblem(t, await bearer(PASSWORD), 'too_many_failures')
  })

  t.test('where a new password can be chosen by mail, no failure is forgotten', async t => {
    const person = await service.person()
    await service.sql("INSERT INTO login_guards (subject, user_id, strangers, strangers_at, last_part) VALUES ('u:' || $1::text, $1::uuid, 60, now() - interval '1000 days', 's')", person.user.id)
    const refused = await guess(service, person.email, { password: PASSWORD })
    isProblem(t, refused, 'too_many_failures')
    t.match(refused.body.detail, /choose a new password by mail/)
  })

  t.test('the success of a known device clears the part of its network', async t => {
    const person = await service.person()
    const { device = '' } = await service.cookiesOf(person)
    await guess(service, person.email, { from: '192.0.2.79', password: PASSWORD })
    t.equal((await statuses(11, () => guess(service, person.email, { from: '192.0.2.79' }))).at(-1), 429)
    t.equal((await guess(service, person.email, { from: '192.0.2.79', password: PASSWORD, cookies: { device } })).status, 200)
    t.same(await service.sql('SELECT 1 FROM login_guards WHERE user_id = $1::uuid', person.user.id), [])
    t.equal((await guess(service, person.email, { from: '192.0.2.79' })).status, 401)
  })
})

t.test('whoever guesses in the network of the owner does not lock out a known device', async t => {
  const service = await startService(t, { RATE_LIMITS: DEFAULT_RATE_LIMITS })
  const [owner, other] = [await service.person(), await service.person()]
  const { device = '' } = await service.cookiesOf(owner)
  const { device: foreign = '' } = await service.cookiesOf(other)
  const from = '192.0.2.77'
  const guesses = async (email: string) => await statuses(6, () => guess(service, email, { from }))
  t.same(await guesses(owner.email), [401, 401, 401, 401, 401, 429])
  t.same(await guesses('nobody@example.com'), [401, 401, 401, 401, 401, 429])

  t.test('another account\'s device gains nothing, and tells nothing', async t => {
    for (const email of [owner.email, 'nobody@example.com']) {
      for (const cookies of [undefined, { device: foreign }, { device: `${device}x` }]) {
        const refused = await guess(service, email, { from, password: PASSWORD, ...cookies && { cookies } })
        isProblem(t, refused, 'too_many_requests')
        t.equal(refused.headers['ratelimit-policy'], '"login";q=5;w=60')
      }
    }
  })

  t.test('nor does one who has spent the network\'s own limit', async t => {
    for (let i = 0; i < 50; i++) await guess(service, `nobody-${i}@example.com`, { from })
    t.equal((await guess(service, 'somebody@example.com', { from })).headers['ratelimit-policy'], '"network";q=60;w=60')
    t.equal((await guess(service, owner.email, { from, password: PASSWORD, cookies: { device } })).status, 200)
  })

  t.test('the device has a limit of its own, which its success forgets', async t => {
    const withDevice = (password: string) => guess(service, owner.email, { from, password, cookies: { device } })
    t.same(await statuses(4, () => withDevice(wrong)), [401, 401, 401, 401])
    t.equal((await withDevice(PASSWORD)).status, 200)
    t.same(await statuses(6, () => withDevice(wrong)), [401, 401, 401, 401, 401, 429])
    isProblem(t, await guess(service, owner.email, { from, password: PASSWORD }), 'too_many_requests')
  })

  t.test('and a session changes its password', async t => {
    const victim = await service.person()
    await statuses(6, () => guess(service, victim.email, { from }))
    const changed = await service.call('POST /auth/password', { json: { currentPassword: PASSWORD, newPassword: 'a staple of nine words', refreshToken: victim.refreshToken }, token: victim.accessToken, from })
    t.equal(changed.status, 200)
  })
})

t.test('a failure of ours after a right password counts for nothing', async t => {
  const service = await startService(t)
  const { email, user } = await service.person()
  const [session] = await service.sql<{ id: string }>('SELECT id FROM sessions WHERE user_id = $1::uuid', user.id)
  const limits = rateLimits('login=3/1m')
  const { loginGuard } = composeLimits({ limits, database: service.database, redis: undefined, key: randomBytes(32), canReset: false, log: service.app.log })
  const store = createMemoryAttempts()
  const failing: AttemptStore = {
    ...store,
    async reserve (keys) {
      if (keys.some(({ key }) => key.startsWith('success:'))) throw new Error('the database is away')
      return await store.reserve(keys)
    }
  }
  const limiter = createAttemptLimiter({ limits, store: failing, key: randomBytes(32), log: service.app.log })
  const admit = createAdmitLogin({ limiter, loginGuard, store: createOpenSessionStore(service.database) })
  const guesses = createPasswordGuesses({ limiter, loginGuard, audit: { recordRepeatable () {} } })
  const client = { ip: '192.0.2.1', network: '192.0.2.1', userAgent: null }
  const report = () => {}

  for (const succeed of [
    async () => { await (await admit({ email, client, devices: [], report })).countSuccess(user.id) },
    async () => { await guesses.check({ userId: user.id, sessionId: session?.id ?? '', email, client, report }, async () => true) }
  ]) {
    for (let i = 0; i < 5; i++) await t.rejects(succeed(), { message: 'the database is away' })
    t.same(await service.sql("SELECT 1 FROM login_guards WHERE strangers > 0 OR known <> '{}'"), [], 'no failure is left')
  }
})

t.test('a right password is limited too, for each costs a hash and a session', async t => {
  const service = await startService(t, { RATE_LIMITS: 'login=5/1m,success=3/1m' })
  const person = await service.person()
  const logIn = () => guess(service, person.email, { password: PASSWORD })
  t.same(await statuses(12, logIn), [200, 200, 200, ...Array<number>(9).fill(429)])
  t.equal((await logIn()).headers['ratelimit-policy'], '"login";q=5;w=60', 'the last ones end before the hash')
  const [sessions] = await service.sql<{ count: number }>('SELECT count(*)::int AS count FROM sessions WHERE user_id = $1::uuid', person.user.id)
  t.equal(sessions?.count, 4, 'three, and that of registering')
  t.same(await service.sql("SELECT 1 FROM login_guards WHERE user_id = $1::uuid AND (strangers > 0 OR known <> '{}')", person.user.id), [], 'nothing of it is a failure')
  await service.audited()
  t.match(await service.sql("SELECT action, outcome, detail FROM audit_events WHERE subject_id = $1::uuid AND outcome = 'failure'", person.user.id), [{ action: 'login', detail: { code: 'too_many_requests' } }], 'and it leaves one trace')
})

t.test('a full hash queue gives the attempt back', async t => {
  const service = await startService(t, { RATE_LIMITS: 'login=5/1m', HASH_CONCURRENCY: '1', HASH_QUEUE_LIMIT: '8' })
  const person = await service.person()
  const others = Array.from({ length: 40 }, (_, i) => guess(service, `nobody-${i}@example.com`, { from: '192.0.2.1' }))
  const refused = await Promise.all(Array.from({ length: 10 }, () => guess(service, person.email, { from: '192.0.2.1' })))
  await Promise.all(others)
  const busy = refused.filter(({ status }) => status === 503).length
  t.ok(busy > 0)
  const counted = refused.filter(({ status }) => status === 401).length
  t.same(await statuses(5 - counted, () => guess(service, person.email, { from: '192.0.2.1' })), Array(5 - counted).fill(401))
  t.equal((await guess(service, person.email, { from: '192.0.2.1' })).status, 429)
})

t.test('neither an address nor a network can be read from what is stored', async t => {
  const service = await startService(t, {})
  const limited = await startService(t, { RATE_LIMITS: 'login=5/1m' })
  for (const each of [service, limited]) {
    await guess(each, 'somebody@example.com', { from: '203.0.113.99' })
    const stored = JSON.stringify([await each.sql('SELECT * FROM attempts'), await each.sql('SELECT * FROM login_guards')])
    t.notMatch(stored, /somebody|203\.0\.113/)
  }
})

t.test('where no mail can help the owner, failures are forgotten day by day', async t => {
  const service = await startService(t, { RATE_LIMITS: 'login=off,network=off,register=off', NODE_ENV: 'production', ALLOW_EMBEDDED_DATABASE: 'true' })

  t.test('without a failure for a day, half of the strangers\' failures are forgotten', async t => {
    const person = await service.person()
    await service.sql("INSERT INTO login_guards (subject, user_id, strangers, strangers_at, last_part) VALUES ('u:' || $1::text, $1::uuid, 60, now() - interval '25 hours', 's')", person.user.id)
    let count = 0
    while ((await guess(service, person.email)).status === 401) count++
    t.equal(count, 30)
    t.match((await guess(service, person.email)).body.detail, /ask support/)
  })

  t.test('an address without an account is locked, and forgotten day by day, as an account is', async t => {
    const person = await service.person()
    const admitted = async (email: string) => {
      let count = 0
      while ((await guess(service, email, { from: '198.51.100.99' })).status === 401) count++
      return count
    }
    const both = async () => [await admitted(person.email), await admitted('nobody@example.com')]
    const later = (days: number) => service.sql('UPDATE login_guards SET strangers_at = strangers_at - make_interval(hours => 24 * $1), expires_at = expires_at - make_interval(hours => 24 * $1)', days)
    t.same(await both(), [60, 60])
    for (const [days, count] of [[1, 30], [2, 45], [5, 59], [6, 60], [1_500, 60]] as const) {
      await later(days)
      await createLoginGuardPurge(service.database)(100)
      t.same(await both(), [count, count], `${days} days later`)
    }
  })

  t.test('the part of a known network is forgotten day by day as well, and what is forgotten is not kept', async t => {
    const person = await service.person()
    await guess(service, person.email, { from: '192.0.2.78', password: PASSWORD })
    const locked = async () => (await statuses(12, () => guess(service, person.email, { from: '192.0.2.78' }))).filter(status => status === 401).length
    t.equal(await locked(), 10)
    const [row] = await service.sql<{ known: Record<string, [number, number]> }>('SELECT known FROM login_guards WHERE user_id = $1::uuid', person.user.id)
    const [[part, [failures, at]]] = Object.entries(row?.known ?? {}) as [[string, [number, number]]]
    t.equal(failures, 10)
    await service.sql('UPDATE login_guards SET known = $2::jsonb WHERE user_id = $1::uuid', person.user.id, JSON.stringify({ [part]: [failures, at - 90_000], 'd:former': [3, at - 3 * 86_400] }))
    t.equal(await locked(), 5)
    const [later] = await service.sql<{ known: Record<string, unknown> }>('SELECT known FROM login_guards WHERE user_id = $1::uuid', person.user.id)
    t.same(Object.keys(later?.known ?? {}), [part])
  })
})
