import Fastify, { type FastifyInstance } from 'fastify'
import t from 'tap'
import { statusWith } from '../support/raw-headers.ts'
import { ADA, bearer, hostWithPlugin, registerAda } from './host.ts'

t.test('a bare host gets the routes and the guards', async t => {
  const app = await hostWithPlugin(t, {
    build (app) {
      app.get('/mine', { onRequest: app.authenticate }, request => ({ user: Reflect.get(request, 'user'), principal: app.countersign.principal(request) }))
      app.get('/admins', { onRequest: app.authorize('admin') }, () => 'only for admins')
      app.get('/people', { onRequest: app.authorize('user', 'admin') }, () => 'for all')
      app.get('/everybody', request => ({ principal: app.countersign.principal(request) }))
    }
  })
  const headers = bearer(await registerAda(app))

  t.equal((await app.inject({ method: 'POST', url: '/auth/login', payload: ADA })).statusCode, 200)
  const me = (await app.inject({ url: '/auth/me', headers })).json<{ id: string, email: string }>()
  t.equal(me.email, ADA.email)

  const mine = (await app.inject({ url: '/mine', headers })).json()
  t.match(mine.principal, { id: me.id, email: ADA.email, role: 'user', credential: 'bearer' })
  t.same(mine.user, mine.principal)
  t.same((await app.inject('/everybody')).json(), { principal: null })

  t.equal((await app.inject({ url: '/people', headers })).body, 'for all')
  const refused = await app.inject({ url: '/admins', headers })
  t.equal(refused.statusCode, 403)
  t.equal(refused.headers['www-authenticate'], 'Bearer error="insufficient_scope"')
})

t.test("a guard on a host's route leaves the answer to the host, and says how to log in", async t => {
  const app = await hostWithPlugin(t, {
    build (app) {
      app.get('/mine', { onRequest: app.authenticate }, () => 'mine')
      app.setErrorHandler((error, _request, reply) => reply.code(401).send({ oops: (error as Error & { code: string }).code }))
    }
  })
  const nobody = await app.inject('/mine')
  t.equal(nobody.headers['www-authenticate'], 'Bearer')
  t.same(nobody.json(), { oops: 'unauthenticated' })
  const forged = await app.inject({ url: '/mine', headers: bearer('a.b.c') })
  t.equal(forged.headers['www-authenticate'], 'Bearer error="invalid_token"')
  t.same(forged.json(), { oops: 'invalid_token' })
})

t.test("a guard on a host's route holds cookies to the cross-site rule", async t => {
  const app = await hostWithPlugin(t, {
    build: app => app.post('/mine', { onRequest: app.authenticate }, () => 'done')
  })
  await registerAda(app)
  const login = await app.inject({ method: 'POST', url: '/auth/login', payload: { ...ADA, deliver: 'cookie' }, headers: { 'x-countersign': '1' } })
  const cookies = Object.fromEntries(login.cookies.map(({ name, value }) => [name, value]))
  t.ok(cookies.access)

  t.equal((await app.inject({ method: 'POST', url: '/mine', cookies })).statusCode, 403)
  t.equal((await app.inject({ method: 'POST', url: '/mine', cookies, headers: { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' } })).statusCode, 403)
  t.equal((await app.inject({ method: 'POST', url: '/mine', cookies, headers: { 'sec-fetch-site': 'same-origin' } })).body, 'done')
})

t.test('nothing else on the host is touched', async t => {
  function furnish (app: FastifyInstance): void {
    app.post('/echo', {
      schema: { body: { type: 'object', properties: { n: { type: 'integer' } }, additionalProperties: false } }
    }, request => request.body)
    app.get('/fail', () => { throw new Error('broken') })
    app.post('/raw', request => ({ body: request.body }))
  }
  const alone: FastifyInstance = Fastify()
  t.teardown(() => alone.close())
  furnish(alone)
  const app = await hostWithPlugin(t, { build: furnish })

  const requests = [
    { method: 'POST', url: '/echo', payload: { n: '7', more: true } },
    { method: 'POST', url: '/echo', payload: { n: 'seven' } },
    { method: 'POST', url: '/echo', payload: '{', headers: { 'content-type': 'application/json' } },
    { method: 'POST', url: '/echo', payload: '{"__proto__":{"a":1}}', headers: { 'content-type': 'application/json' } },
    { method: 'POST', url: '/raw', payload: 'some text', headers: { 'content-type': 'text/plain' } },
    { method: 'POST', url: '/raw', payload: { large: 'x'.repeat(100_000) } },
    { method: 'POST', url: '/raw', payload: { a: 1 }, headers: { cookie: 'access=1', origin: 'https://other.example' } },
    { method: 'GET', url: '/fail' },
    { method: 'GET', url: '/nowhere' },
    { method: 'OPTIONS', url: '/raw', headers: { origin: 'https://other.example', 'access-control-request-method': 'POST' } }
  ] as const
  for (const request of requests) {
    const [expected, found] = [await alone.inject(request), await app.inject(request)]
    t.equal(found.statusCode, expected.statusCode, `${request.method} ${request.url}: the status`)
    t.equal(found.body, expected.body, `${request.method} ${request.url}: the body`)
    t.same({ ...found.headers, date: '' }, { ...expected.headers, date: '' }, `${request.method} ${request.url}: the headers`)
  }

  const added = Object.keys(app).filter(name => !Object.keys(alone).includes(name))
  t.same(added.sort(), ['authenticate', 'authorize', 'countersign'], 'three decorators')
  for (const name of ['user', 'cookies', 'jwtVerify', 'countersignJwtVerify']) t.notOk(app.hasRequestDecorator(name), `no request.${name}`)
  for (const name of ['setCookie', 'jwtSign', 'countersignJwtSign']) t.notOk(app.hasReplyDecorator(name), `no reply.${name}`)
  t.same(app.getSchemas(), {}, 'no shared schema')
})

t.test("two Authorization headers are no credential, on a host's server too", async t => {
  const app = await hostWithPlugin(t, {
    build: app => app.get('/mine', { onRequest: app.authenticate }, () => 'mine')
  })
  const origin = await app.listen({ host: '127.0.0.1', port: 0 })
  const good = ['Authorization', bearer(await registerAda(app)).authorization]
  for (const target of ['GET /mine', 'GET /auth/verify', 'GET /auth/me', 'POST /auth/logout', 'GET /revocations']) {
    for (const other of ['Bearer x', 'Basic x']) {
      t.equal(await statusWith(target, origin, [...good, 'Authorization', other]), 401, `${target}, ${other}`)
      t.equal(await statusWith(target, origin, ['Authorization', other, ...good]), 401, `${other}, ${target}`)
    }
  }
  t.equal(await statusWith('GET /mine', origin, good), 200, 'and nobody was logged out')
})
