import t from 'tap'
import { isProblem } from '../support/problem.ts'
import { startService } from '../support/service.ts'

t.test('credentials', async t => {
  const service = await startService(t)
  const { call } = service
  const ada = await service.person()
  const bob = await service.person()
  const cookies = await service.cookiesOf(bob)
  const { access = '', refresh = '' } = cookies
  const INVALID = 'Bearer error="invalid_token"'

  t.test('one space or more may part a scheme from its token', async t => {
    for (const authorization of [`Bearer   ${ada.accessToken}`, `bearer ${ada.accessToken}`]) t.equal((await call('GET /auth/verify', { headers: { authorization } })).status, 200)
  })

  t.test('of a Bearer header and a cookie, the header decides', async t => {
    t.match(await call('GET /auth/verify', { token: ada.accessToken, cookies }), { status: 200, body: { id: ada.user.id, credential: 'bearer' } })
  })

  t.test('a bad Bearer token is refused, with a good cookie beside it too', async t => {
    for (const token of ['x', 'null', 'undefined', `${ada.accessToken}x`, ada.accessToken.slice(0, -1), ada.refreshToken, `Bearer ${ada.accessToken}`, `"${ada.accessToken}"`, `\t${ada.accessToken}`]) {
      const answer = await call('GET /auth/verify', { token, cookies })
      isProblem(t, answer, 'invalid_token', token.slice(0, 20))
      t.equal(answer.headers['www-authenticate'], INVALID)
    }
  })

  t.test('an empty Bearer header is a credential, and a bad one', async t => {
    for (const authorization of ['Bearer ', 'Bearer', 'bearer', 'BEARER ']) {
      const answer = await call('GET /auth/verify', { headers: { authorization }, cookies })
      isProblem(t, answer, 'invalid_token', JSON.stringify(authorization))
      t.equal(answer.headers['www-authenticate'], INVALID)
    }
  })

  t.test('the scheme is read without regard to case', async t => {
    for (const scheme of ['Bearer', 'bearer', 'BEARER', 'bEaReR']) {
      t.equal((await call('GET /auth/verify', { headers: { authorization: `${scheme} ${ada.accessToken}` } })).status, 200, scheme)
    }
  })

  t.test('another scheme is none of ours: the cookie decides, or nothing does', async t => {
    for (const authorization of ['Basic YWRhOng=', 'Bearerx', `Token ${ada.accessToken}`, 'Digest x', '', ada.accessToken]) {
      t.match(await call('GET /auth/verify', { headers: { authorization }, cookies }), { status: 200, body: { id: bob.user.id } }, authorization.slice(0, 20))
      const answer = await call('GET /auth/verify', { headers: { authorization } })
      isProblem(t, answer, 'unauthenticated', authorization.slice(0, 20))
      t.equal(answer.headers['www-authenticate'], 'Bearer', 'no error, for no credential came')
    }
  })

  t.test('a bad access cookie is refused, with a good session cookie beside it too', async t => {
    const { cookies: opened } = await call('POST /auth/login', { json: { email: bob.email, password: bob.password, deliver: 'session' }, headers: { 'sec-fetch-site': 'same-origin' } })
    const session = opened.session?.value ?? ''
    t.match(await call('GET /auth/verify', { cookies: { session } }), { status: 200, body: { id: bob.user.id, credential: 'session' } })
    for (const bad of ['x', '', refresh, access.slice(1)]) isProblem(t, await call('GET /auth/verify', { cookies: { access: bad, session } }), 'invalid_token', bad.slice(0, 20))
    isProblem(t, await call('GET /auth/verify', { cookies: { session: access } }), 'invalid_token', 'an access token as a session')
    isProblem(t, await call('GET /auth/verify', { cookies: { access: session } }), 'invalid_token', 'a session as an access token')
  })

  t.test('a refresh token is no access token, wherever it stands', async t => {
    for (const options of [{ token: ada.refreshToken }, { cookies: { access: refresh } }, { token: refresh }]) isProblem(t, await call('GET /auth/verify', options), 'invalid_token')
    isProblem(t, await call('GET /auth/verify', { cookies: { refresh } }), 'unauthenticated')
  })

  t.test('a token in the query or the body is not read', async t => {
    for (const name of ['access_token', 'token', 'accessToken', 'authorization', 'jwt']) {
      const answer = await call(`GET /auth/verify?${name}=${ada.accessToken}`)
      isProblem(t, answer, 'unauthenticated', name)
      t.equal(answer.headers['www-authenticate'], 'Bearer', name)
      const listed = await call(`GET /admin/users?${name}=${ada.accessToken}`)
      t.equal(listed.status, 401, name)
    }
    t.equal((await call('PATCH /auth/me', { json: { name: 'x', access_token: ada.accessToken } })).status, 401)
    t.equal((await call('PATCH /auth/me', { text: `access_token=${ada.accessToken}`, headers: { 'content-type': 'application/x-www-form-urlencoded' } })).status, 401)
  })

  t.test('every route for people asks for one, before it looks at anything else', async t => {
    const document = (await call<{ paths: Record<string, Record<string, { security?: object[] }>> }>('GET /openapi.json')).body
    const guarded = Object.entries(document.paths).flatMap(([path, operations]) =>
      Object.entries(operations).filter(([, { security = [{}] }]) => security.length > 0 && security.every(scheme => Object.keys(scheme).length > 0 && !('clientAuth' in scheme || 'clientToken' in scheme))).map(([method]) => `${method.toUpperCase()} ${path.replace('{id}', ada.user.id)}`))
    t.ok(['GET /auth/verify', 'GET /auth/me', 'PATCH /auth/me', 'GET /admin/users'].every(target => guarded.includes(target)), `${guarded}`)
    for (const target of guarded) {
      const nothing = await call(target)
      t.equal(nothing.status, 401, target)
      t.equal(nothing.headers['www-authenticate'], 'Bearer', target)
      const bad = await call(target, { token: 'x' })
      isProblem(t, bad, 'invalid_token', target)
      t.equal(bad.headers['www-authenticate'], INVALID, target)
    }
  })
})
