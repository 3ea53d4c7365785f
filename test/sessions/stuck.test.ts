import t from 'tap'
import { PASSWORD, startService, type LoginBody, type Settings, type TestService } from '../support/service.ts'

const OWN_PAGE = { 'sec-fetch-site': 'same-origin' }
const HTTPS = { PUBLIC_URL: 'https://auth.shop.example.com' }

/** The `Set-Cookie` fields of an answer: name, domain, and whether it clears. */
async function setBy (service: TestService, target: string, { cookie, json, headers = {} }: { cookie: string, json?: unknown, headers?: Record<string, string> }) {
  const [method = '', url = ''] = target.split(' ')
  const { statusCode, headers: answered } = await service.app.inject({ method: method as 'GET', url, headers: { ...OWN_PAGE, ...headers, cookie, ...json !== undefined && { 'content-type': 'application/json' } }, ...json !== undefined && { payload: JSON.stringify(json) } })
  const set = [answered['set-cookie'] ?? []].flat().map(line => ({
    name: line.slice(0, line.indexOf('=')),
    domain: /; Domain=([^;]+)/.exec(line)?.[1],
    cleared: /^[^=]+=;/.test(line) && line.includes('; Max-Age=0'),
    secure: line.includes('; Secure')
  }))
  return { status: statusCode, set, cleared: set.filter(({ cleared }) => cleared).map(({ name, domain = 'host' }) => `${name} ${domain}`) }
}

t.test('logging out with cookies that open nothing', async t => {
  const service = await startService(t)
  const isLive = async (token: string) => (await service.call('GET /auth/verify', { token })).status === 200
  const all = ['access host', 'refresh host', 'session host']

  t.test('is 204 and clears them, whatever is wrong with them', async t => {
    for (const cookie of ['session=' + 's'.repeat(43), 'session=x', 'access=x', 'access=a; access=b', 'refresh=x', 'session=a; session=b', 'refresh=a; refresh=b']) {
      t.match(await setBy(service, 'POST /auth/logout', { cookie }), { status: 204, cleared: all }, cookie)
    }
  })

  t.test('a dead cookie beside a good one does not keep it from ending its session', async t => {
    const person = await service.person()
    const { access = '', refresh = '' } = await service.cookiesOf(person)
    for (const [dead, good] of [['session=' + 's'.repeat(43), `access=${access}`], ['access=a; access=b', `refresh=${refresh}`], ['refresh=x', `access=${access}`]] as const) {
      const { status } = await setBy(service, 'POST /auth/logout', { cookie: `${dead}; ${good}` })
      t.equal(status, 204, dead)
      t.notOk(await isLive(access), dead)
    }
  })

  t.test('does not let another site do it', async t => {
    const { refresh = '' } = await service.cookiesOf(await service.person())
    for (const cookie of [`refresh=${refresh}`, '__Host-session=x']) {
      t.equal((await setBy(service, 'POST /auth/logout', { cookie, headers: { 'sec-fetch-site': 'cross-site' } })).status, 403)
    }
  })

  t.test('keeps the cookies while it cannot be stored', async t => {
    const { access = '' } = await service.cookiesOf(await service.person())
    await service.sql('ALTER TABLE sessions RENAME TO sessions_away')
    const answer = await setBy(service, 'POST /auth/logout', { cookie: `access=${access}` }).finally(() => service.sql('ALTER TABLE sessions_away RENAME TO sessions'))
    t.strictSame([answer.status, answer.set], [500, []])
  })
})

t.test('logging out with what a session had before a new password', async t => {
  const service = await startService(t)
  const liveSessions = async (id: string) => (await service.sql('SELECT 1 FROM sessions WHERE user_id = $1::uuid AND ended_at IS NULL', id)).length

  async function changePassword (call: object): Promise<void> {
    const { status } = await service.call('POST /auth/password', call)
    if (status !== 200) throw new Error(`Changing the password was answered ${status}`)
  }

  const logoutsOf = (userId: string) => service.sql("SELECT detail FROM audit_events WHERE subject_id = $1::uuid AND action = 'logout'", userId)

  for (const how of ['refresh token', 'access token'] as const) {
    t.test(`ends it, by the ${how}`, async t => {
      const person = await service.person()
      const { accessToken, refreshToken } = person
      await changePassword({ token: accessToken, json: { currentPassword: PASSWORD, newPassword: 'a staple of nine words', refreshToken } })
      t.equal(await liveSessions(person.user.id), 1)
      t.equal((await service.call('POST /auth/logout', how === 'access token' ? { token: accessToken } : { json: { refreshToken } })).status, 204)
      t.equal(await liveSessions(person.user.id), 0)
      t.strictSame(await logoutsOf(person.user.id), [{ detail: how === 'access token' ? null : { credential: 'former' } }], 'the audit trail tells it by what names the session')
    })
  }

  t.test('ends it, by the cookie of a stateful session', async t => {
    const person = await service.person()
    const { cookies } = await service.call<LoginBody>('POST /auth/login', { json: { email: person.email, password: PASSWORD, deliver: 'session' }, headers: OWN_PAGE })
    const former = { session: cookies.session?.value ?? '' }
    await changePassword({ cookies: former, headers: OWN_PAGE, json: { currentPassword: PASSWORD, newPassword: 'a staple of nine words' } })
    t.equal(await liveSessions(person.user.id), 1)
    t.equal((await service.call('GET /auth/verify', { cookies: former })).status, 401, 'it opens nothing')
    t.equal((await service.call('POST /auth/logout', { cookies: former, headers: OWN_PAGE })).status, 204)
    t.equal(await liveSessions(person.user.id), 0)
    t.strictSame(await logoutsOf(person.user.id), [{ detail: { credential: 'former' } }])
  })

  t.test('and a logout by the credential of now has no such detail', async t => {
    const { user, refreshToken } = await service.person()
    t.equal((await service.call('POST /auth/logout', { json: { refreshToken } })).status, 204)
    t.strictSame(await logoutsOf(user.id), [{ detail: null }])
  })
})

t.test('cookies of another configuration of this host', async t => {
  const parents = ['auth.shop.example.com', 'shop.example.com', 'example.com']
  const token = 'eyJh.eyJi.c'

  async function answers (t: Parameters<typeof startService>[0], settings: Settings, cookie: string) {
    const service = await startService(t, settings)
    const { email } = await service.person()
    return {
      service,
      login: await setBy(service, 'POST /auth/login', { cookie, json: { email, password: PASSWORD, deliver: 'cookie' } }),
      logout: await setBy(service, 'POST /auth/logout', { cookie }),
      me: await setBy(service, 'GET /auth/me', { cookie })
    }
  }

  t.test('COOKIE_DOMAIN was changed: a name that comes twice is cleared on every domain by a 401, a login and a logout', async t => {
    const { login, logout, me } = await answers(t, { ...HTTPS, COOKIE_DOMAIN: 'example.com' }, `__Secure-access=${token}; __Secure-access=${token}`)
    const everywhere = ['host', ...parents].map(domain => `__Secure-access ${domain}`)
    t.equal(me.status, 401)
    t.strictSame([...me.cleared].sort(), [...everywhere].sort())
    t.equal(login.status, 200)
    t.strictSame(login.cleared, everywhere.slice(0, -1), 'the one that is set is not cleared')
    t.match(login.set.at(-3), { name: '__Secure-access', domain: 'example.com', cleared: false })
    t.equal(logout.status, 204)
    t.strictSame(everywhere.filter(variant => !logout.cleared.includes(variant)), [])
    t.ok(logout.set.every(({ secure }) => secure))
  })

  t.test('COOKIE_DOMAIN was removed', async t => {
    const { login, logout, me } = await answers(t, HTTPS, `__Secure-access=${token}`)
    t.strictSame(login.cleared, ['host', ...parents].map(domain => `__Secure-access ${domain}`))
    t.equal(logout.status, 204, 'though only the cookie of another configuration came')
    t.ok(logout.cleared.includes('__Secure-access example.com'))
    t.strictSame([me.status, me.set], [401, []], 'nothing came twice')
  })

  t.test('over plain http', async t => {
    const { login, logout, me } = await answers(t, { PUBLIC_URL: 'http://auth.shop.example.com' }, `access=${token}; access=${token}`)
    t.strictSame([...me.cleared].sort(), ['host', ...parents].map(domain => `access ${domain}`).sort())
    t.strictSame(login.cleared, parents.map(domain => `access ${domain}`))
    t.equal(logout.status, 204)
  })

  t.test('http became https', async t => {
    const cookie = `access=${token}; refresh=01890a5d-ac96-774b-bcce-b302099a8057.0.${'n'.repeat(22)}.${'m'.repeat(43)}; session=${'s'.repeat(43)}`
    const { login, logout } = await answers(t, HTTPS, cookie)
    const bare = ['access host', ...parents.map(domain => `access ${domain}`), 'refresh host', 'session host']
    for (const { cleared } of [login, logout]) t.strictSame(bare.filter(variant => !cleared.includes(variant)), [])
  })

  t.test('but not a bare name that other software of the host uses', async t => {
    const { login, logout, service } = await answers(t, HTTPS, 'session=s%3Aabc.def; access=yes; refresh=1')
    t.strictSame(login.cleared, [])
    t.equal(logout.status, 401, 'no credential came')
    t.strictSame((await setBy(service, 'POST /auth/logout', { cookie: 'session=s%3Aabc; __Host-session=x' })).cleared, ['__Host-access host', '__Host-refresh host', '__Host-session host'])
  })

  t.test('nor what another service has on a domain above', async t => {
    const theirs = `eyJh.${Buffer.from(JSON.stringify({ iss: 'https://auth.example.com' })).toString('base64url')}.c`
    const alone = await answers(t, HTTPS, `__Secure-access=${theirs}`)
    t.strictSame([alone.login.cleared, alone.logout.cleared, alone.logout.status], [[], [], 401])

    const service = await startService(t, { ...HTTPS, COOKIE_DOMAIN: 'shop.example.com' })
    const ours = (await service.person()).accessToken
    for (const cookie of [`__Secure-access=${ours}; __Secure-access=${theirs}`, `__Secure-access=${theirs}; __Secure-access=${ours}`]) {
      const { status, set } = await setBy(service, 'GET /auth/verify', { cookie })
      t.strictSame({ status, set }, { status: 200, set: [] })
    }
  })

  t.test('a token that was never issued is refused though cookies of other software came', async t => {
    const service = await startService(t, HTTPS)
    t.match(await setBy(service, 'POST /auth/logout', { cookie: `session=${'s'.repeat(43)}`, headers: { authorization: 'Bearer garbage' } }), { status: 401, cleared: [] })
  })

  t.test('a refused refresh clears nothing, not even what came twice', async t => {
    const service = await startService(t)
    for (const cookie of ['refresh=a; refresh=b', 'refresh=x', 'access=a; access=b']) {
      const { status, set } = await setBy(service, 'POST /auth/refresh', { cookie })
      t.strictSame([status, set], [401, []], cookie)
    }
  })
})

t.test('another service on the same host, whose cookies come along over plain http', async t => {
  const [one, two] = [await startService(t, { PUBLIC_URL: 'http://localhost:3000' }), await startService(t, { PUBLIC_URL: 'http://localhost:3001' })]
  const { access: theirs = '' } = await two.cookiesOf(await two.person())
  const person = await one.person()
  const login = await one.call('POST /auth/login', { json: { email: person.email, password: PASSWORD, deliver: 'session' }, cookies: { access: theirs }, headers: OWN_PAGE })

  t.test('has an access cookie that counts as absent here', async t => {
    t.match(await one.call('GET /auth/verify', { cookies: { access: theirs } }), { status: 401, body: { code: 'unauthenticated' } })
    t.match(await one.call('GET /auth/verify', { cookies: { access: theirs, session: login.cookies.session?.value ?? '' } }), { status: 200, body: { id: person.user.id } })
    t.equal((await two.call('GET /auth/verify', { cookies: { access: theirs } })).status, 200)
  })

  t.test('a bad access cookie of our own is refused all the same', async t => {
    const { access = '' } = await one.cookiesOf(person)
    for (const bad of ['x', `${access}x`]) t.match(await one.call('GET /auth/verify', { cookies: { access: bad, session: login.cookies.session?.value ?? '' } }), { status: 401, body: { code: 'invalid_token' } })
  })

  t.test('is not logged out by a logout here', async t => {
    t.match(await one.call('POST /auth/logout', { cookies: { access: theirs }, headers: OWN_PAGE }), { status: 204, cookies: {} }, 'its cookie stays')
  })
})

t.test('a cookie with the prefix __Host- is ours, whatever issuer it names', async t => {
  const service = await startService(t, { PUBLIC_URL: 'https://auth.example.com' })
  const person = await service.person()
  const foreign = (await (await startService(t, { JWT_ISSUER: 'https://before.example.com' })).person()).accessToken
  const cookie = `__Host-access=${foreign}`
  const { status, cookies } = await service.call('POST /auth/logout', { headers: { ...OWN_PAGE, cookie } })
  t.strictSame([status, cookies['__Host-access']?.value], [204, ''])
  t.equal((await service.call('GET /auth/verify', { headers: { cookie } })).status, 401)
  t.equal((await service.call('GET /auth/verify', { headers: { cookie: `${cookie}; __Host-access=${person.accessToken}` } })).status, 401)
})
