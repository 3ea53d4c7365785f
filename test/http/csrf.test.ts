import t from 'tap'
import { PASSWORD, startService } from '../support/service.ts'

const SITES = ['', 'same-origin', 'none', 'same-site', 'cross-site', 'anything else'] as const
const ORIGINS = {
  none: '',
  own: 'https://auth.example.com',
  allowed: 'https://app.example.com',
  'another port': 'https://auth.example.com:8443',
  'another scheme': 'http://auth.example.com',
  'a sibling': 'https://evil.example.com',
  'a longer host': 'https://app.example.com.evil.example',
  'with a slash': 'https://app.example.com/',
  'in capitals': 'https://APP.example.com',
  'two at once': 'https://app.example.com https://evil.example',
  null: 'null',
  '*': '*'
} as const

// What the rule says of each pair. `bare`: without our cookies, or with X-Countersign: 1.
const FROM_ELSEWHERE = Object.fromEntries(Object.keys(ORIGINS).map(name => [name, ['own', 'allowed'].includes(name) ? 'yes' : 'no']))
const FROM_HERE = Object.fromEntries(Object.keys(ORIGINS).map(name => [name, 'yes']))
const RULE: Readonly<Record<typeof SITES[number], Readonly<Record<string, string>>>> = {
  '': { ...FROM_ELSEWHERE, none: 'bare' },
  'same-origin': FROM_HERE,
  none: FROM_HERE,
  'same-site': FROM_ELSEWHERE,
  'cross-site': FROM_ELSEWHERE,
  'anything else': FROM_ELSEWHERE
}

/** Every combination of the headers that the rule reads, and what it says of them. */
const combinations = SITES.flatMap(site => Object.entries(ORIGINS).flatMap(([name, origin]) => ['', '1', '0'].map(own => ({
  about: `Sec-Fetch-Site: ${site || '-'}, Origin: ${name}, X-Countersign: ${own || '-'}`,
  headers: { ...site !== '' && { 'sec-fetch-site': site }, ...origin !== '' && { origin }, ...own !== '' && { 'x-countersign': own } },
  passes: (carries: boolean) => {
    const rule = RULE[site][name]
    return rule === 'yes' || (rule === 'bare' && (!carries || own === '1'))
  }
}))))

// Enough to tell which requests the rule is asked about: what it answers is asked in full elsewhere.
const some = combinations.filter((_, index) => index < 3 || index % 13 === 0)

/** Requests, and what gateways say of those that they ask about. */
const READS_ALONE: Readonly<Record<string, { target?: string, says?: Record<string, string>, isSafe?: true }>> = {
  ...Object.fromEntries(['GET', 'HEAD', 'OPTIONS', 'TRACE'].map(method => [method, { target: `${method} /auth/verify`, isSafe: true }])),
  ...Object.fromEntries(['POST', 'DELETE', 'QUERY', 'PROPFIND', 'M-SEARCH'].map(method => [method, { target: `${method} /auth/verify` }])),
  'a path below': { target: 'POST /auth/verify/orders' },
  ...Object.fromEntries(['GET', 'head', 'OPTIONS'].map(method => [`${method}, forwarded`, { says: { 'x-forwarded-method': method }, isSafe: true }])),
  ...Object.fromEntries(['POST', 'delete', 'PATCH', 'QUERY', 'CONNECT', 'STEAL', '', 'GET, POST', 'GET, GET'].map(method => [`"${method}", forwarded`, { says: { 'x-forwarded-method': method } }])),
  'POST that is said to be GET': { target: 'POST /auth/verify', says: { 'x-forwarded-method': 'GET' } },
  'GET that is said to be POST, below': { target: 'GET /auth/verify/orders', says: { 'x-forwarded-method': 'POST' } },
  ...Object.fromEntries(['upgrade', 'x-forwarded-upgrade'].flatMap(name => [
    ...['websocket', 'WebSocket', 'WEBSOCKET', 'h2c, websocket', 'websocket,h2c', 'h2c,\twebsocket ', 'websocket/13'].map(value => [`${name}: ${value}`, { says: { [name]: value } }]),
    ...['h2c', 'TLS/1.0', 'websockets', 'x-websocket', ''].map(value => [`${name}: ${value}`, { says: { [name]: value }, isSafe: true }])
  ])),
  'one Upgrade that is none and one that is': { says: { upgrade: 'h2c', 'x-forwarded-upgrade': 'websocket' } },
  'one Upgrade that is and one that is none': { says: { upgrade: 'websocket', 'x-forwarded-upgrade': 'h2c' } }
}

t.test('the cross-site rule', async t => {
  const service = await startService(t, { PUBLIC_URL: 'https://auth.example.com', ALLOWED_ORIGINS: 'https://app.example.com' })
  const { call } = service
  const ada = await service.person()

  /** Asks with every combination, and holds each answer against the rule. */
  async function table (ask: (headers: Record<string, string>) => Promise<{ status: number }>, { carries, passed }: { carries: boolean, passed: number }, asked = combinations) {
    const found: Record<string, number> = {}
    const expected: Record<string, number> = {}
    for (const { about, headers, passes } of asked) {
      found[about] = (await ask(headers)).status
      expected[about] = passes(carries) ? passed : 403
    }
    return { found, expected }
  }

  /** The combinations that are not answered with a status. */
  async function unlike (status: number, ask: (headers: Record<string, string>) => Promise<{ status: number }>, asked = combinations) {
    const others: string[] = []
    for (const { about, headers } of asked) if ((await ask(headers)).status !== status) others.push(about)
    return others
  }

  t.test('holds for logging in with cookies to be set', async t => {
    const json = { email: ada.email, password: PASSWORD, deliver: 'cookie' }
    const { found, expected } = await table(headers => call('POST /auth/login', { json, headers }), { carries: false, passed: 200 })
    t.strictSame(found, expected)
  })

  t.test('holds for logging in with cookies to be set over those that are there', async t => {
    const json = { email: ada.email, password: 'not the password', deliver: 'session' }
    const cookies = await service.cookiesOf(ada)
    const { found, expected } = await table(headers => call('POST /auth/login', { json, headers, cookies }), { carries: true, passed: 401 })
    t.strictSame(found, expected)
  })

  t.test('holds for registering with cookies to be set', async t => {
    const json = { email: ada.email, password: PASSWORD, deliver: 'cookie' }
    const { found, expected } = await table(headers => call('POST /auth/register', { json, headers }), { carries: false, passed: 409 })
    t.strictSame(found, expected)
  })

  t.test('leaves alone who neither carries cookies nor asks for them', async t => {
    const json = { email: ada.email, password: 'not the password' }
    t.strictSame(await unlike(401, headers => call('POST /auth/login', { json, headers })), [])
  })

  for (const name of ['__Host-access', '__Host-refresh', '__Host-session']) {
    t.test(`holds for every unsafe request that carries ${name}`, async t => {
      const cookies = { [name]: 'whatever' }
      for (const target of ['PATCH /auth/me', 'POST /auth/login', 'DELETE /auth/me', 'POST /auth/password']) {
        const { found, expected } = await table(async headers => {
          const { status } = await call(target, { cookies, headers, json: { name: 'x' } })
          return { status: status === 403 ? 403 : 200 }
        }, { carries: true, passed: 200 })
        t.strictSame(found, expected, target)
      }
    })
  }

  t.test('holds for logging out, and ends nothing where it refuses', async t => {
    let cookies = await service.cookiesOf(ada)
    const { found, expected } = await table(async headers => {
      const answer = await call('POST /auth/logout', { cookies, headers })
      const { status } = await call('GET /auth/verify', { cookies })
      t.equal(status, answer.status === 204 ? 401 : 200)
      if (answer.status === 204) cookies = await service.cookiesOf(ada)
      return answer
    }, { carries: true, passed: 204 })
    t.strictSame(found, expected)
  })

  t.test('holds for changing the profile, and changes nothing where it refuses', async t => {
    const cookies = await service.cookiesOf(ada)
    let last = 'Ada Lovelace'
    const { found, expected } = await table(async headers => {
      const name = `${Math.random()}`
      const answer = await call('PATCH /auth/me', { cookies, headers, json: { name } })
      if (answer.status === 200) last = name
      t.match((await call('GET /auth/me', { cookies })).body, { name: last })
      return answer
    }, { carries: true, passed: 200 })
    t.strictSame(found, expected)
  })

  t.test('holds with a Bearer token beside the cookies too', async t => {
    const { accessToken: token, ...bob } = await service.person()
    const cookies = await service.cookiesOf(bob)
    const { found, expected } = await table(headers => call('PATCH /auth/me', { cookies, headers, token, json: { name: 'x' } }), { carries: true, passed: 200 })
    t.strictSame(found, expected)
  })

  t.test('leaves a Bearer token without cookies alone', async t => {
    const { accessToken: token } = await service.person()
    t.strictSame(await unlike(200, headers => call('PATCH /auth/me', { token, headers, json: { name: 'x' } })), [])
  })

  t.test('holds for what is not read alone, whoever says so: the request itself, or a gateway', async t => {
    const cookies = await service.cookiesOf(ada)
    const { accessToken: token } = await service.person()
    for (const [about, { target = 'GET /auth/verify', says, isSafe }] of Object.entries(READS_ALONE)) {
      const ask = (headers: Record<string, string>) => call(target, { cookies, headers: { ...headers, ...says } })
      if (isSafe === true) t.strictSame(await unlike(200, ask, some), [], about)
      else {
        const { found, expected } = await table(ask, { carries: true, passed: 200 }, some)
        t.strictSame(found, expected, about)
      }
      t.equal((await call(target, { token, headers: { 'sec-fetch-site': 'cross-site', ...says } })).status, 200, `${about}: a Bearer token needs no such rule`)
    }
  })

  t.test('leaves reading alone', async t => {
    const cookies = await service.cookiesOf(ada)
    t.strictSame(await unlike(200, headers => call('GET /auth/verify', { cookies, headers })), [])
  })

  t.test('lets no forwarded method make an unsafe request safe', async t => {
    const headers = { 'sec-fetch-site': 'cross-site', 'x-forwarded-method': 'GET' }
    t.equal((await call('DELETE /auth/me', { cookies: await service.cookiesOf(ada), headers })).status, 403)
  })

  t.test('holds for refreshing by cookie, and rotates nothing where it refuses', async t => {
    const cookies = await service.cookiesOf(await service.person())
    let generation = 0
    const { found, expected } = await table(async headers => {
      const answer = await call('POST /auth/refresh', { cookies, headers })
      if (answer.status === 200) generation++
      cookies['__Host-refresh'] = answer.cookies['__Host-refresh']?.value ?? cookies['__Host-refresh'] ?? ''
      return answer
    }, { carries: true, passed: 200 })
    t.strictSame(found, expected)
    t.match(cookies['__Host-refresh'], new RegExp(`^[\\w-]+\\.${generation}\\.`))
  })

  t.test('counts no look-alike as one of our cookies', async t => {
    const headers = { 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' }
    const json = { email: ada.email, password: PASSWORD }
    for (const name of ['access', 'refresh', 'session', '__Secure-access', '__host-access', '__HOST-ACCESS', 'x__Host-access', '__Host-access2', '__Host-device']) {
      t.equal((await call('POST /auth/login', { json, headers, cookies: { [name]: 'x' } })).status, 200, name)
    }
    for (const cookie of ['__Host-access=', ' __Host-access=x', 'a=b;__Host-access=x', '__Host-access =x']) {
      t.equal((await call('POST /auth/login', { json, headers: { ...headers, cookie } })).status, 403, cookie)
    }
  })

  t.test('says so by a problem of its own, and caches nothing', async t => {
    const { status, body, headers } = await call('POST /auth/logout', { cookies: await service.cookiesOf(ada), headers: { origin: 'https://evil.example' } })
    t.match({ status, body }, { status: 403, body: { code: 'cross_site_request' } })
    t.equal(headers['cache-control'], 'no-store')
  })
})
