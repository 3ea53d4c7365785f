import { Writable } from 'node:stream'
import Fastify, { type FastifyInstance, type FastifyServerOptions } from 'fastify'
import { pino } from 'pino'
import t, { type Test } from 'tap'
import countersignVerifier, { AccessProblem, authenticate, authorize, authorizeClient } from 'countersign-verifier/fastify'
import { goodToken, OPTIONS } from '../support/verifiers.ts'

const CLIENT = { sub: 'client_shop', client_id: 'client_shop', sid: undefined, role: undefined, ver: undefined, email: undefined, email_verified: undefined, scope: 'orders:read' }
const bearer = (token: string) => ({ authorization: `Bearer ${token}` })
const NAMES = { user: 'who', authenticate: 'check', authorize: 'checkRole', verifier: 'checker' }

function host (t: Test, log: string[] = []): FastifyInstance {
  const to = new Writable({ write (line, _encoding, done) { log.push(String(line)); done() } })
  const options: FastifyServerOptions = { loggerInstance: pino({ level: 'error' }, to) }
  const app: FastifyInstance = Fastify(options)
  t.teardown(() => app.close())
  return app
}

function addRoutes (app: FastifyInstance): void {
  app.post('/mine', { onRequest: authenticate }, () => 'mine')
  app.post('/late', { preValidation: [authenticate], preHandler: authorize('user') }, () => 'late')
  app.post('/admin', { onRequest: [authorize('admin')] }, () => 'admin')
  app.post('/service', { onRequest: authorizeClient('orders:read') }, () => 'service')
}

const ask = async (app: FastifyInstance, url: string, token?: string) => await app.inject({ method: 'POST', url, headers: token === undefined ? {} : bearer(token) })

for (const [about, options] of Object.entries({ 'as it is': OPTIONS, 'under other names': { ...OPTIONS, decorators: NAMES } })) {
  t.test(`a route that is declared before the verifier is there is guarded all the same, ${about}`, async t => {
    const app = host(t)
    app.register(countersignVerifier, options)
    addRoutes(app)
    for (const url of ['/mine', '/late', '/admin', '/service']) t.equal((await ask(app, url)).statusCode, 401, url)
    for (const url of ['/mine', '/late']) t.equal((await ask(app, url, goodToken())).statusCode, 200, url)
    t.equal((await ask(app, '/admin', goodToken())).statusCode, 403)
    t.equal((await ask(app, '/admin', goodToken({ role: 'admin' }))).statusCode, 200)
    t.equal((await ask(app, '/service', goodToken(CLIENT))).statusCode, 200)
    t.equal((await ask(app, '/service', goodToken({ ...CLIENT, scope: undefined }))).statusCode, 403)
  })
}

t.test('where there is no verifier, every request is refused, and the log says why', async t => {
  const log: string[] = []
  const app = host(t, log)
  app.register(async scope => { await scope.register(countersignVerifier, OPTIONS) })
  app.register(async scope => addRoutes(scope), { prefix: '/sibling' })
  addRoutes(app)
  for (const url of ['/mine', '/late', '/admin', '/service', '/sibling/mine', '/sibling/service']) {
    log.length = 0
    const answer = await ask(app, url, goodToken({ role: 'admin' }))
    t.strictSame([answer.statusCode, answer.json()], [500, { type: 'urn:countersign:problem:internal_error', title: 'Internal server error', status: 500, code: 'internal_error' }], url)
    t.match(log.join(''), /the plugin is not registered in its scope/, url)
  }
})

t.test('of two verifiers the nearest counts', async t => {
  const app = host(t)
  app.register(countersignVerifier, OPTIONS)
  addRoutes(app)
  app.register(async scope => {
    await scope.register(countersignVerifier, { ...OPTIONS, audience: 'other', decorators: NAMES })
    addRoutes(scope)
  }, { prefix: '/other' })
  app.register(async scope => addRoutes(scope), { prefix: '/same' })
  for (const url of ['/mine', '/other/mine', '/same/mine', '/late', '/other/late', '/same/late']) {
    t.equal((await ask(app, url, goodToken())).statusCode, url.startsWith('/other') ? 401 : 200, url)
  }
})

t.test('a refusal that is passed on is what frameworks around Fastify know an HTTP error by', async t => {
  const app = host(t)
  app.setErrorHandler((error, _request, reply) => {
    t.ok(error instanceof AccessProblem)
    t.match(error, { statusCode: 401, message: 'Authentication required', code: 'unauthenticated' })
    return reply.code(418).send()
  })
  app.register(countersignVerifier, { ...OPTIONS, passRefusals: true })
  addRoutes(app)
  t.equal((await ask(app, '/mine')).statusCode, 418)
})

t.test('a guard that is called and awaited, in place of being passed as a hook, lets nobody in', async t => {
  const app = host(t)
  app.register(countersignVerifier, OPTIONS)
  const called = (guard: unknown) => async (request: unknown, reply: unknown) => { await (guard as (request: unknown, reply: unknown) => Promise<void>)(request, reply) }
  app.post('/mine', { onRequest: called(authenticate) }, () => 'secret')
  app.post('/admin', { preHandler: called(authorize('admin')) }, () => 'secret')
  app.post('/service', { preHandler: called(authorizeClient('orders:read')) }, () => 'secret')
  app.post('/decorated', { preHandler: async (request, reply) => await called(app.authenticate)(request, reply) }, () => 'secret')
  for (const url of ['/mine', '/admin', '/service', '/decorated']) {
    for (const token of [undefined, 'x', goodToken({ role: 'admin' })]) t.equal((await ask(app, url, token)).statusCode, 500, url)
  }
})
