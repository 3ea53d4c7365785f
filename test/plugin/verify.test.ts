import cors from '@fastify/cors'
import t from 'tap'
import { countersign } from '../../src/index.ts'
import { bareHost, bearer, hostWithPlugin, pluginOptions, registerAda } from './host.ts'

const METHODS = ['GET', 'POST', 'OPTIONS', 'QUERY', 'PROPFIND', 'PURGE'] as const

t.test("what a host answers to everything else answers no gateway's question", async t => {
  const app = bareHost(t)
  app.addHttpMethod('PROPFIND', { hasBody: true })
  app.route({ method: app.supportedMethods.filter(method => method !== 'OPTIONS'), url: '/*', handler: () => "the host's page" })
  app.setNotFoundHandler(() => "the host's page")
  await app.register(cors, { origin: true })
  await app.register(countersign, await pluginOptions(t))
  app.all('/auth/:page', () => "the host's page")
  await app.ready()

  const headers = { origin: 'https://shop.example.com', 'access-control-request-method': 'GET', 'content-type': 'text/plain' }
  const token = await registerAda(app)
  for (const url of ['/auth/verify', '/auth/verify/', '/auth/verify/orders']) {
    for (const method of METHODS) {
      const of = { method: method as 'GET', url, payload: 'x' }
      t.equal((await app.inject({ ...of, headers })).statusCode, 401, `${method} ${url}`)
      t.match((await app.inject({ ...of, headers: { ...headers, ...bearer(token) } })).headers, { 'x-auth-role': 'user' }, `${method} ${url}`)
    }
  }
})

t.test('a host has the methods that it had', async t => {
  const app = bareHost(t)
  const before = app.supportedMethods
  await app.register(countersign, await pluginOptions(t))
  app.setNotFoundHandler((_request, reply) => reply.code(404).send('not here'))
  await app.ready()
  t.strictSame(app.supportedMethods, before)
  t.equal((await app.inject({ method: 'PROPFIND' as 'GET', url: '/auth/me' })).body, 'not here')
})

t.test('a prefix stands before the check too, and what is below it', async t => {
  const app = await hostWithPlugin(t, { prefix: '/identity' })
  const token = await registerAda(app, '/identity')
  for (const method of METHODS) {
    for (const path of ['', '/orders']) {
      t.equal((await app.inject({ method: method as 'GET', url: `/identity/auth/verify${path}`, headers: bearer(token) })).statusCode, 200, `${method} ${path}`)
      t.equal((await app.inject({ method: method as 'GET', url: `/auth/verify${path}`, headers: bearer(token) })).statusCode, method === 'QUERY' ? 400 : 404, `${method} ${path}`)
    }
  }
})
