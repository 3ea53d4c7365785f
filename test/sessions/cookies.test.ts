import t from 'tap'
import { PASSWORD, startService, type LoginBody, type SetCookie, type TestService } from '../support/service.ts'

const HTTPS = { PUBLIC_URL: 'https://auth.example.com' }
const OWN_PAGE = { 'sec-fetch-site': 'same-origin' }

/** The attributes of a cookie in alphabetical order, without its lifetime. */
const attributesOf = ({ attributes }: SetCookie) => attributes.filter(text => !text.startsWith('Max-Age=')).sort()
const lifeOf = ({ attributes }: SetCookie) => Number(attributes.find(text => text.startsWith('Max-Age='))?.slice(8))

async function setAndCleared (service: TestService, deliver: string) {
  const { email } = await service.person()
  const login = await service.call<LoginBody>('POST /auth/login', { json: { email, password: PASSWORD, deliver }, headers: OWN_PAGE })
  const cookies = Object.fromEntries(Object.entries(login.cookies).map(([name, { value }]) => [name, value]))
  const logout = await service.call('POST /auth/logout', { cookies, headers: OWN_PAGE })
  return { login, logout }
}

const names = (cookies: Readonly<Record<string, SetCookie>>) => Object.keys(cookies).sort()

t.test('cookies over https', async t => {
  const service = await startService(t, HTTPS)
  const HOST_ONLY = ['HttpOnly', 'Path=/', 'SameSite=Lax', 'Secure']

  t.test('have __Host- names and exactly the attributes of the protocol', async t => {
    const { login } = await setAndCleared(service, 'cookie')
    t.equal(login.status, 200)
    t.strictSame(names(login.cookies), ['__Host-access', '__Host-device', '__Host-refresh'])
    for (const [name, cookie] of Object.entries(login.cookies)) t.strictSame(attributesOf(cookie), HOST_ONLY, name)
    t.equal(login.headers['cache-control'], 'no-store')
  })

  t.test('live as long as the credential in them', async t => {
    const { login: { cookies, body } } = await setAndCleared(service, 'cookie')
    const { '__Host-access': access, '__Host-refresh': refresh } = cookies
    t.equal(access && lifeOf(access), body.expiresIn)
    t.ok(refresh && Math.abs(lifeOf(refresh) - 90 * 86_400) <= 1)
  })

  t.test('keep every token out of the body', async t => {
    const { login: { body, text, cookies } } = await setAndCleared(service, 'cookie')
    t.strictSame(Object.keys(body).sort(), ['expiresIn', 'tokenType', 'user'])
    for (const [name, { value }] of Object.entries(cookies)) t.notOk(text.includes(value), name)
  })

  t.test('are cleared with the attributes that they were set with', async t => {
    const { login, logout } = await setAndCleared(service, 'cookie')
    t.equal(logout.status, 204)
    t.strictSame(names(logout.cookies), ['__Host-access', '__Host-refresh', '__Host-session'])
    for (const [name, cookie] of Object.entries(logout.cookies)) {
      t.equal(cookie.value, '', name)
      t.equal(lifeOf(cookie), 0, name)
      t.strictSame(attributesOf(cookie), HOST_ONLY, name)
    }
    t.not(login.cookies['__Host-access']?.value, '')
  })

  t.test('contain only an opaque id for a stateful session', async t => {
    const { login, logout } = await setAndCleared(service, 'session')
    t.strictSame(names(login.cookies), ['__Host-device', '__Host-session'])
    const { '__Host-session': session } = login.cookies
    t.match(session?.value, /^[\w-]{43}$/)
    t.strictSame(session && attributesOf(session), HOST_ONLY)
    t.strictSame(Object.keys(login.body).sort(), ['expiresIn', 'tokenType', 'user'])
    t.equal(logout.cookies['__Host-session']?.value, '')
  })

  t.test('are set by registering too', async t => {
    const { status, body, cookies, headers } = await service.call<LoginBody>('POST /auth/register', {
      json: { email: 'grace@example.com', password: PASSWORD, deliver: 'cookie' }, headers: OWN_PAGE
    })
    t.equal(status, 201)
    t.strictSame(names(cookies), ['__Host-access', '__Host-device', '__Host-refresh'])
    t.strictSame(Object.keys(body).sort(), ['expiresIn', 'tokenType', 'user'])
    t.equal(headers['cache-control'], 'no-store')
  })

  t.test('log in for every route that takes them', async t => {
    const person = await service.person()
    const cookies = await service.cookiesOf(person)
    t.match(await service.call('GET /auth/verify', { cookies }), { status: 200, body: { id: person.user.id, credential: 'cookie' } })
    t.match(await service.call('GET /auth/me', { cookies }), { status: 200, body: { email: person.email } })
  })

  t.test('fit into what browsers keep, however long the address and the name', async t => {
    const email = `${'a'.repeat(64)}@${'b'.repeat(60)}.${'c'.repeat(60)}.${'d'.repeat(60)}.test`
    t.ok(email.length > 250)
    const { status, cookies } = await service.call('POST /auth/register', { json: { email, password: PASSWORD, name: '🐎'.repeat(100), deliver: 'cookie' }, headers: OWN_PAGE })
    t.equal(status, 201)
    for (const [name, { value }] of Object.entries(cookies)) t.ok(name.length + value.length <= 4096, `${name}: ${value.length}`)
  })

  t.test('under other names are not read: neither the bare ones nor look-alikes', async t => {
    const { '__Host-access': access = '' } = await service.cookiesOf(await service.person())
    t.equal((await service.call('GET /auth/verify', { cookies: { '__Host-access': access } })).status, 200)
    for (const name of ['access', '__Secure-access', '__host-access', '__HOST-access', '__Host-Access', '__Host-access2', 'x__Host-access', '__Host-access%20', '__Host-%61ccess']) {
      const answer = await service.call('GET /auth/verify', { cookies: { [name]: access } })
      t.match(answer, { status: 401, body: { code: 'unauthenticated' } }, name)
    }
  })

  t.test('are not disturbed by cookies that a sibling subdomain set (cookie tossing)', async t => {
    const [victim, attacker] = [await service.person(), await service.person()]
    const theirs = (await service.cookiesOf(attacker))['__Host-access'] ?? ''
    const { '__Host-access': own = '' } = await service.cookiesOf(victim)
    const tossed = ['access', '__Secure-access', '__host-access', '__HOST-ACCESS', '__Host-access.', 'refresh', 'session'].map(name => `${name}=${theirs}`)
    for (const header of [[...tossed, `__Host-access=${own}`], [`__Host-access=${own}`, ...tossed]]) {
      t.match(await service.call('GET /auth/verify', { headers: { cookie: header.join('; ') } }), { status: 200, body: { id: victim.user.id } })
    }
  })

  t.test('that come twice under one name are refused, the same value or not', async t => {
    const [one, two] = [await service.cookiesOf(await service.person()), await service.cookiesOf(await service.person())]
    const name = '__Host-access'
    for (const pairs of [[one, one], [one, two], [two, one], [one, { [name]: '' }], [{ [name]: 'x' }, one]]) {
      for (const separator of ['; ', ';', ' ; ']) {
        const answer = await service.call('GET /auth/verify', { headers: { cookie: pairs.map(cookies => `${name}=${cookies[name]}`).join(separator) } })
        t.match(answer, { status: 401, body: { code: 'invalid_token' } })
      }
    }
    t.equal((await service.call('POST /auth/refresh', { headers: { ...OWN_PAGE, cookie: '__Host-refresh=a; __Host-refresh=b' } })).status, 401)
  })
})

t.test('cookies over plain http', async t => {
  const service = await startService(t)

  t.test('have bare names, and are not Secure', async t => {
    const { login, logout } = await setAndCleared(service, 'cookie')
    t.strictSame(names(login.cookies), ['access', 'device', 'refresh'])
    t.strictSame(names(logout.cookies), ['access', 'refresh', 'session'])
    for (const [name, cookie] of Object.entries({ ...login.cookies, ...logout.cookies })) t.strictSame(attributesOf(cookie), ['HttpOnly', 'Path=/', 'SameSite=Lax'], name)
  })

  t.test('are chosen by PUBLIC_URL alone, whatever a header says of the scheme', async t => {
    const { email } = await service.person()
    const { cookies } = await service.call('POST /auth/login', {
      json: { email, password: PASSWORD, deliver: 'cookie' }, headers: { ...OWN_PAGE, 'x-forwarded-proto': 'https', forwarded: 'proto=https' }
    })
    t.strictSame(names(cookies), ['access', 'device', 'refresh'])
  })
})

t.test('COOKIE_DOMAIN shares the access cookie and no other', async t => {
  const service = await startService(t, { ...HTTPS, COOKIE_DOMAIN: 'example.com' })
  const { login, logout } = await setAndCleared(service, 'cookie')
  t.strictSame(names(login.cookies), ['__Host-device', '__Host-refresh', '__Secure-access'])
  t.strictSame(names(logout.cookies), ['__Host-refresh', '__Host-session', '__Secure-access'])
  for (const [name, cookie] of [...Object.entries(login.cookies), ...Object.entries(logout.cookies)]) {
    const shared = name === '__Secure-access' ? ['Domain=example.com'] : []
    t.strictSame(attributesOf(cookie), [...shared, 'HttpOnly', 'Path=/', 'SameSite=Lax', 'Secure'], name)
  }
})

t.test('COOKIE_SAMESITE=strict makes every cookie strict', async t => {
  const service = await startService(t, { ...HTTPS, COOKIE_SAMESITE: 'strict' })
  const { login } = await setAndCleared(service, 'cookie')
  t.equal(Object.keys(login.cookies).length, 3)
  for (const [name, cookie] of Object.entries(login.cookies)) t.strictSame(attributesOf(cookie), ['HttpOnly', 'Path=/', 'SameSite=Strict', 'Secure'], name)
})
