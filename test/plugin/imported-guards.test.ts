import { Writable } from 'node:stream'
import type { FastifyInstance } from 'fastify'
import { pino } from 'pino'
import t from 'tap'
import countersignVerifier, { authenticate as verify } from 'countersign-verifier/fastify'
import { authenticate, authorize, countersign } from '../../src/index.ts'
import { ADA, bareHost, bearer, hostWithPlugin, pluginOptions, registerAda } from './host.ts'

/** Every position that a guard may stand in. */
const POSITIONS = {
  onRequest: { onRequest: authenticate },
  preValidation: { preValidation: authenticate },
  preHandler: { preHandler: authenticate },
  'among others': { onRequest: [async () => {}, authenticate], preHandler: [authorize('user', 'admin'), (_request: unknown, _reply: unknown, done: () => void) => done()] },
  'by role': { onRequest: authorize('user') }
}

function addRoutes (app: FastifyInstance): void {
  for (const [name, hooks] of Object.entries(POSITIONS)) app.post(`/${name}`, hooks, request => app.countersign.principal(request))
  app.get('/admins', { onRequest: authorize('admin') }, () => 'admins')
}

t.test('a route that is declared before the plugin is there is guarded all the same', async t => {
  const app = bareHost(t)
  app.register(countersign, await pluginOptions(t))
  addRoutes(app)
  await app.ready()
  const headers = bearer(await registerAda(app))
  for (const name of Object.keys(POSITIONS)) {
    const url = `/${encodeURIComponent(name)}`
    t.equal((await app.inject({ method: 'POST', url })).statusCode, 401, name)
    t.equal((await app.inject({ method: 'POST', url, headers: bearer('x') })).statusCode, 401, name)
    t.match((await app.inject({ method: 'POST', url, headers })).json(), { email: ADA.email }, name)
  }
  t.equal((await app.inject({ url: '/admins', headers })).statusCode, 403)
})

t.test('the imports find a service whose decorators have other names', async t => {
  const app = await hostWithPlugin(t, { decorators: { user: 'principal', authenticate: 'requireLogin', authorize: 'requireRole' }, build: addRoutes })
  const headers = bearer(await registerAda(app))
  t.match((await app.inject({ method: 'POST', url: '/onRequest', headers })).json(), { email: ADA.email })
  t.equal((await app.inject({ url: '/admins', headers })).statusCode, 403)
})

t.test('where there is no service, every request is refused, and the log says why', async t => {
  const lines: string[] = []
  const app = bareHost(t, { loggerInstance: pino(new Writable({ write (line, _encoding, done) { lines.push(String(line)); done() } })) })
  const options = await pluginOptions(t)
  addRoutes(app)
  await app.register(async scope => { await scope.register(countersign, options) }, { prefix: '/with' })
  await app.register(async scope => addRoutes(scope), { prefix: '/without' })
  await app.ready()
  const headers = bearer(await registerAda(app, '/with'))
  for (const url of ['/onRequest', '/preHandler', '/among%20others', '/by%20role', '/without/onRequest', '/without/preValidation', '/without/by%20role']) {
    for (const given of [{}, headers]) {
      lines.length = 0
      const answer = await app.inject({ method: 'POST', url, headers: given })
      t.equal(answer.statusCode, 500, url)
      t.strictSame(answer.json(), { statusCode: 500, code: 'internal_error', error: 'Internal Server Error', message: 'Internal server error' }, url)
      t.match(lines.join(''), /the plugin is not registered in its scope/, url)
    }
  }
})

t.test('of two services each route has that of its own scope', async t => {
  const app = bareHost(t)
  const options = [await pluginOptions(t), await pluginOptions(t)]
  const shared = authorize('user', 'admin')
  for (const [index, own] of options.entries()) {
    await app.register(async scope => {
      await scope.register(countersign, own)
      scope.get('/mine', { onRequest: authenticate }, request => scope.countersign.principal(request))
      await scope.register(async deeper => { deeper.get('/deeper', { onRequest: shared }, request => deeper.countersign.principal(request)) })
    }, { prefix: `/${index}` })
  }
  await app.ready()
  const tokens = [await registerAda(app, '/0'), await registerAda(app, '/1')]
  for (const path of ['/mine', '/deeper', '/mine', '/deeper']) {
    for (const [index, token] of tokens.entries()) {
      t.equal((await app.inject({ url: `/${index}${path}`, headers: bearer(token) })).statusCode, 200)
      t.equal((await app.inject({ url: `/${1 - index}${path}`, headers: bearer(token) })).statusCode, 401)
    }
  }
})

t.test('beside the verifier, each import finds its own service', async t => {
  const app = bareHost(t)
  const own = { decorators: { authenticate: 'verifyToken', authorize: 'verifyRole' } }
  app.register(countersignVerifier, { issuer: 'https://elsewhere.example', audience: 'api', secret: 'x'.repeat(43), ...own })
  app.get('/theirs', { onRequest: verify }, () => 'theirs')
  app.register(countersign, await pluginOptions(t))
  app.get('/ours', { onRequest: authenticate }, () => 'ours')
  await app.ready()
  const headers = bearer(await registerAda(app))
  t.equal((await app.inject({ url: '/ours', headers })).statusCode, 200)
  t.equal((await app.inject({ url: '/theirs', headers })).statusCode, 401)
})

t.test('a refusal is what frameworks around Fastify know an HTTP error by', async t => {
  const app = bareHost(t)
  let refused: unknown
  app.setErrorHandler((error, _request, reply) => {
    refused = error
    return reply.code(418).send()
  })
  app.register(countersign, await pluginOptions(t))
  addRoutes(app)
  await app.ready()
  await app.inject({ method: 'POST', url: '/onRequest' })
  t.ok(refused instanceof Error)
  t.match(refused, { statusCode: 401, message: 'Authentication required', code: 'unauthenticated' })
})

t.test('a guard that is called and awaited, in place of being passed as a hook, lets nobody in', async t => {
  const app = bareHost(t)
  app.register(countersign, await pluginOptions(t))
  const called = (guard: unknown) => async (request: unknown, reply: unknown) => { await (guard as (request: unknown, reply: unknown) => Promise<void>)(request, reply) }
  app.get('/imported', { onRequest: called(authenticate) }, () => 'secret')
  app.get('/role', { preHandler: called(authorize('user')) }, () => 'secret')
  app.get('/decorated', { preHandler: async (request, reply) => await called(app.authenticate)(request, reply) }, () => 'secret')
  app.get('/not-made', { onRequest: authorize as unknown as typeof authenticate }, () => 'secret')
  await app.ready()
  // The first is decided with a look at the database, and so not at once.
  const credentials = [{ cookie: `session=${'A'.repeat(43)}` }, {}, bearer(await registerAda(app))]
  for (const url of ['/imported', '/role', '/decorated', '/not-made']) {
    for (const headers of credentials) t.equal((await app.inject({ url, headers })).statusCode, 500, url)
  }
})

t.test('authorize needs a role where it is made', async t => {
  t.throws(() => authorize(...[] as unknown as ['admin']), TypeError)
})
