import t from 'tap'
import { isProblem } from '../support/problem.ts'
import { PASSWORD, startService, type LoginBody, type TestService } from '../support/service.ts'
const register = (service: TestService, from: string, email = `ada-${crypto.randomUUID()}@example.com`, password = PASSWORD) =>
  service.call('POST /auth/register', { json: { email, password }, from })

t.test('registrations are limited by network', async t => {
  const service = await startService(t, { RATE_LIMITS: 'register=3/1m' })
  const taken = await service.person()
  t.equal((await register(service, '192.0.2.1', 'ada@example.com', 'short')).status, 422, 'a password that is too weak costs nothing')
  t.equal((await register(service, '192.0.2.1')).status, 201)
  t.equal((await register(service, '192.0.2.1', taken.email)).status, 409)
  const third = await register(service, '192.0.2.1')
  t.equal(third.status, 201)
  t.equal(third.headers['ratelimit-policy'], '"register";q=3;w=60')
  t.match(third.headers.ratelimit, /^"register";r=0;t=\d+$/)
  isProblem(t, await register(service, '192.0.2.1'), 'too_many_requests')
  t.equal((await register(service, '192.0.2.2')).status, 201)
})

t.test('refreshes are limited by session', async t => {
  const service = await startService(t, { RATE_LIMITS: 'refresh=3/1m' })
  const [person, other] = [await service.person(), await service.person()]
  let { refreshToken } = person
  for (let i = 0; i < 3; i++) {
    const { status, body } = await service.call<LoginBody>('POST /auth/refresh', { json: { refreshToken } })
    t.equal(status, 200)
    refreshToken = body.refreshToken
  }
  isProblem(t, await service.call('POST /auth/refresh', { json: { refreshToken } }), 'too_many_requests')
  t.equal((await service.call('GET /auth/verify', { token: person.accessToken })).status, 200, 'the session goes on')
  t.equal((await service.call('POST /auth/refresh', { json: { refreshToken: other.refreshToken } })).status, 200)
  isProblem(t, await service.call('POST /auth/refresh', { json: { refreshToken: `${refreshToken}x` } }), 'invalid_refresh_token')
})

t.test('what a refresh rotates, repeats or is refused counts alike, and each answer tells what is left', async t => {
  const service = await startService(t, { RATE_LIMITS: 'refresh=4/1m+5/1h' })
  const person = await service.person()
  const refresh = (json: object) => service.call<LoginBody>('POST /auth/refresh', { json })
  const rotated = await refresh({ refreshToken: person.refreshToken })
  t.match([rotated.status, rotated.headers['ratelimit-policy'], rotated.headers.ratelimit], [200, '"refresh";q=4;w=60', '"refresh";r=3;t=60'])
  const repeated = await refresh({ refreshToken: person.refreshToken })
  t.match([repeated.status, repeated.headers.ratelimit], [200, /^"refresh";r=2;t=(?:60|59)$/])
  t.equal(repeated.body.refreshToken, rotated.body.refreshToken)
  const { status, headers } = await refresh({ refreshToken: rotated.body.refreshToken, audience: 'nobody' })
  t.match([status, headers.ratelimit], [422, /^"refresh";r=1;t=\d\d$/])
  t.equal((await refresh({ refreshToken: rotated.body.refreshToken })).status, 200)
  const refused = await service.call('POST /auth/refresh', { json: { refreshToken: rotated.body.refreshToken } })
  isProblem(t, refused, 'too_many_requests')
  t.match([refused.headers['ratelimit-policy'], refused.headers.ratelimit], ['"refresh";q=4;w=60', /^"refresh";r=0;t=\d\d$/])
  const wait = Number(refused.headers['retry-after'])
  t.ok(wait > 50 && wait <= 60, `${wait} s`)

  t.test('when a window has passed there is room again, until the longer one is full', async t => {
    await service.sql('UPDATE sessions SET refreshes = ARRAY(SELECT hit - 61 FROM unnest(refreshes) AS hit ORDER BY hit) WHERE user_id = $1::uuid', person.user.id)
    const fifth = await refresh({ refreshToken: rotated.body.refreshToken })
    t.match([fifth.status, fifth.headers['ratelimit-policy']], [200, '"refresh";q=5;w=3600'])
    const sixth = await service.call('POST /auth/refresh', { json: { refreshToken: fifth.body.refreshToken } })
    isProblem(t, sixth, 'too_many_requests')
    t.ok(Number(sixth.headers['retry-after']) > 3000, 'the older hits leave it after an hour')
  })

  t.test('of those that have passed the longest window none is kept', async t => {
    await service.sql('UPDATE sessions SET refreshes = ARRAY(SELECT hit - 3600 FROM unnest(refreshes) AS hit ORDER BY hit) WHERE user_id = $1::uuid', person.user.id)
    t.equal((await refresh({ refreshToken: rotated.body.refreshToken })).status, 200)
    t.match(await service.sql('SELECT cardinality(refreshes) AS kept FROM sessions WHERE user_id = $1::uuid', person.user.id), [{ kept: 1 }])
  })
})

t.test('a refresh that the limit had no room for, and then had, rotates', async t => {
  const service = await startService(t, { RATE_LIMITS: 'refresh=1/1m' })
  const person = await service.person()
  const first = await service.call<LoginBody>('POST /auth/refresh', { json: { refreshToken: person.refreshToken } })
  const counting = service.hold('sessions.count-refresh')
  const second = service.call<LoginBody>('POST /auth/refresh', { json: { refreshToken: first.body.refreshToken } })
  await counting.reached
  await service.sql("UPDATE sessions SET refreshes = '{}' WHERE user_id = $1::uuid", person.user.id)
  counting.release()
  const { status, body } = await second
  t.equal(status, 200)
  t.not(body.refreshToken, first.body.refreshToken)
})

t.test('where refreshes are not limited, nothing is told and hits do not heap up', async t => {
  const service = await startService(t, { RATE_LIMITS: 'refresh=off' })
  let { refreshToken } = await service.person()
  for (let i = 0; i < 3; i++) {
    const { status, headers, body } = await service.call<LoginBody>('POST /auth/refresh', { json: { refreshToken } })
    t.match([status, headers.ratelimit], [200, undefined])
    refreshToken = body.refreshToken
  }
  t.match(await service.sql('SELECT max(cardinality(refreshes)) AS kept FROM sessions'), [{ kept: 0 }])
})

t.test('guesses at the password of an account count together, wherever they are made', async t => {
  const service = await startService(t, { RATE_LIMITS: 'login=5/1m' })
  const person = await service.person()
  const change = (currentPassword: string) => service.call('POST /auth/password', { json: { currentPassword, newPassword: 'a staple of nine words', refreshToken: person.refreshToken }, token: person.accessToken })
  for (let i = 0; i < 3; i++) isProblem(t, await change('not the right password'), 'invalid_credentials')
  for (let i = 0; i < 2; i++) t.equal((await service.call('POST /auth/login', { json: { email: person.email, password: 'not the right password' } })).status, 401)
  isProblem(t, await service.call('POST /auth/login', { json: { email: person.email, password: PASSWORD } }), 'too_many_requests')
  for (let i = 0; i < 5; i++) isProblem(t, await change('not the right password'), 'invalid_credentials')
  const refused = await change(PASSWORD)
  isProblem(t, refused, 'too_many_requests', 'and the session has as many of its own')
  t.equal(refused.headers['ratelimit-policy'], '"login";q=5;w=60')
})

t.test('a stolen session has a part of the guard of its own', async t => {
  const service = await startService(t, { RATE_LIMITS: 'login=off,network=off' })
  const person = await service.person()
  const change = (currentPassword: string) => service.call('POST /auth/password', { json: { currentPassword, newPassword: 'a staple of nine words', refreshToken: person.refreshToken }, token: person.accessToken })
  for (let i = 0; i < 10; i++) t.equal((await change('not the right password')).status, 401)
  isProblem(t, await change(PASSWORD), 'too_many_failures')
  t.equal((await service.call('POST /auth/login', { json: { email: person.email, password: PASSWORD }, from: '192.0.2.1' })).status, 200)
})

t.test('a right password gives its attempt back', async t => {
  const service = await startService(t, { RATE_LIMITS: 'login=2/1m' })
  const person = await service.person()
  let { accessToken, refreshToken } = person
  let currentPassword = PASSWORD
  for (const newPassword of ['a staple of nine words', 'a staple of ten words', 'a staple of many words']) {
    const { status, body } = await service.call<LoginBody>('POST /auth/password', { json: { currentPassword, newPassword, refreshToken }, token: accessToken })
    t.equal(status, 200)
    ;({ accessToken, refreshToken } = body)
    currentPassword = newPassword
  }
  t.same(await service.sql("SELECT * FROM login_guards WHERE strangers > 0 OR known <> '{}'"), [])
})

t.test('wrong secrets of clients are limited by network, and right ones never', async t => {
  const service = await startService(t, { RATE_LIMITS: 'network=3/1m' })
  const ask = (credentials: string, from: string) => service.call<{ error: string }>('POST /oauth/token', {
    text: 'grant_type=client_credentials',
    headers: { 'content-type': 'application/x-www-form-urlencoded', authorization: `Basic ${Buffer.from(credentials).toString('base64')}` },
    from
  })
  for (let i = 0; i < 3; i++) {
    const { status, headers } = await ask('client_000000000000000000000000:wrong', '192.0.2.1')
    t.equal(status, 401)
    t.match(headers.ratelimit, new RegExp(`^"network";r=${2 - i};t=`))
    t.equal(headers['ratelimit-policy'], '"network";q=3;w=60')
  }
  const refused = await ask('client_000000000000000000000000:wrong', '192.0.2.1')
  t.equal(refused.status, 429)
  t.equal(refused.body.error, 'too_many_requests')
  t.ok(Number(refused.headers['retry-after']) > 50)
  t.equal((await ask('client_000000000000000000000000:wrong', '192.0.2.2')).status, 401)
  t.equal((await service.call('POST /auth/login', { json: { email: 'nobody@example.com', password: 'a' }, from: '192.0.2.1' })).status, 401, 'the logins of that network have what they had')
})

t.test('the routes of providers are limited by network', async t => {
  const service = await startService(t, { RATE_LIMITS: 'provider=2/1m', ALLOWED_REDIRECTS: 'com.example.app:/callback', GOOGLE_CLIENT_ID: 'web', GOOGLE_CLIENT_SECRET: 'secret', GOOGLE_NATIVE_CLIENT_IDS: 'app' })
  const exchange = () => service.call('POST /auth/providers/exchange', { json: { code: 'A'.repeat(43), codeVerifier: 'v'.repeat(43) }, from: '192.0.2.1' })
  t.equal((await exchange()).status, 401)
  const last = await exchange()
  t.equal(last.headers['ratelimit-policy'], '"provider";q=2;w=60')
  isProblem(t, await exchange(), 'too_many_requests')
  for (const target of ['GET /auth/providers/google', 'GET /auth/providers/google/callback?state=a&code=b', 'POST /auth/providers/google/token']) {
    isProblem(t, await service.call(target, { from: '192.0.2.1', ...target.startsWith('POST') && { json: { idToken: 'a.b.c', nonce: 'n' } } }), 'too_many_requests')
  }
  const { accessToken: token, refreshToken } = await service.person()
  for (const [target, json] of [
    ['POST /auth/identities/link', { provider: 'google', refreshToken }],
    ['POST /auth/identities/link/exchange', { code: 'A'.repeat(43), codeVerifier: 'v'.repeat(43), refreshToken }]
  ] as const) {
    isProblem(t, await service.call(target, { from: '192.0.2.1', json, token }), 'too_many_requests')
    t.equal((await service.call(target, { from: '192.0.2.3', json, token })).headers['ratelimit-policy'], '"provider";q=2;w=60')
  }
})

t.test('pages of allowed origins can read what is left', async t => {
  const service = await startService(t, { ALLOWED_ORIGINS: 'https://app.example.com', RATE_LIMITS: 'login=5/1m' })
  const { headers } = await service.call('POST /auth/login', { json: { email: 'nobody@example.com', password: 'a' }, headers: { origin: 'https://app.example.com' } })
  t.match(headers['access-control-expose-headers'], /ratelimit.*ratelimit-policy.*retry-after/)
  t.ok(headers.ratelimit)
})

t.test('off limits nothing, and the start says so', async t => {
  const service = await startService(t, { RATE_LIMITS: 'off' })
  const statuses = new Set<number>()
  for (let i = 0; i < 30; i++) statuses.add((await service.call('POST /auth/login', { json: { email: 'nobody@example.com', password: 'a' } })).status)
  t.same([...statuses], [401])
  t.same(await service.sql('SELECT 1 FROM login_guards'), [])
  t.ok(service.log.some(({ msg, level }) => level === 40 && msg.startsWith('RATE_LIMITS=off')))
})
