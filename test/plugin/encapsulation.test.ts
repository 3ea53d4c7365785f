import swagger from '@fastify/swagger'
import t from 'tap'
import { countersign } from '../../src/index.ts'
import { ADA, bareHost, bearer, hostWithPlugin, pluginOptions, registerAda } from './host.ts'

t.test('in a scope with a prefix, the routes and the guards are of that scope', async t => {
  const app = bareHost(t)
  const options = await pluginOptions(t)
  await app.register(async scope => {
    await scope.register(countersign, options)
    scope.get('/mine', { onRequest: scope.authenticate }, request => scope.countersign.principal(request))
  }, { prefix: '/api' })
  await app.ready()

  const token = await registerAda(app, '/api')
  t.match((await app.inject({ url: '/api/mine', headers: bearer(token) })).json(), { email: ADA.email })
  t.equal((await app.inject('/auth/me')).statusCode, 404)
  t.notOk(app.hasDecorator('authenticate'))
})

t.test('the option prefix stands before the routes, and not before the guards', async t => {
  const app = await hostWithPlugin(t, {
    prefix: '/identity',
    build: app => app.get('/mine', { onRequest: app.authenticate }, request => app.countersign.principal(request))
  })
  const token = await registerAda(app, '/identity')
  t.match((await app.inject({ url: '/mine', headers: bearer(token) })).json(), { email: ADA.email })
  t.equal((await app.inject('/auth/me')).statusCode, 404)
})

t.test("our routes validate, answer and fail by our rules, whatever the host's are", async t => {
  const app = bareHost(t, {
    ajv: { customOptions: { coerceTypes: 'array', removeAdditional: 'all' } },
    schemaErrorFormatter: () => new Error("the host's words")
  })
  app.setErrorHandler((_error, _request, reply) => reply.code(418).send("the host's error"))
  app.setValidatorCompiler(() => () => ({ error: new Error("the host's validator") }))
  app.setSerializerCompiler(() => () => "the host's serializer")
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', { parseAs: 'string' }, async () => "the host's parser")
  app.addSchema({ $id: 'User', type: 'string' })
  app.addSchema({ $id: 'Login', type: 'string' })
  app.post('/theirs', { schema: { response: { 200: { type: 'string' } } } }, request => ({ body: request.body }))
  await app.register(countersign, await pluginOptions(t))
  await app.ready()

  const token = await registerAda(app)
  t.match((await app.inject({ url: '/auth/me', headers: bearer(token) })).json(), { email: ADA.email, name: null })

  const invalid = await app.inject({ method: 'POST', url: '/auth/login', payload: { email: 7, password: ADA.password, more: true } })
  t.equal(invalid.statusCode, 422)
  t.match(invalid.headers['content-type'], /^application\/problem\+json/)
  t.same(invalid.json<{ errors: { field: string }[] }>().errors.map(({ field }) => field).sort(), ['email', 'more'])

  const malformed = await app.inject({ method: 'POST', url: '/auth/login', payload: '{', headers: { 'content-type': 'application/json' } })
  t.match(malformed.json(), { status: 400, code: 'malformed_json' })
  const text = await app.inject({ method: 'POST', url: '/auth/login', payload: 'text', headers: { 'content-type': 'text/plain' } })
  t.match(text.json(), { status: 415, code: 'unsupported_media_type' })
  const large = await app.inject({ method: 'POST', url: '/auth/login', payload: { email: ADA.email, password: 'x'.repeat(20_000) } })
  t.match(large.json(), { status: 413, code: 'body_too_large' })
  t.match((await app.inject('/auth/me')).json(), { status: 401, code: 'unauthenticated' })

  const theirs = await app.inject({ method: 'POST', url: '/theirs', payload: 'text', headers: { 'content-type': 'text/plain' } })
  t.equal(theirs.body, "the host's serializer")
})

t.test("the host's own OpenAPI document is the host's", async t => {
  const app = bareHost(t)
  await app.register(swagger, { openapi: { info: { title: 'Host', version: '1' } } })
  await app.register(countersign, await pluginOptions(t))
  app.get('/theirs', () => 'theirs')
  await app.ready()
  const { paths, components } = app.swagger() as { paths?: object, components?: { schemas?: object } }
  t.same(Object.keys(paths ?? {}), ['/theirs'])
  t.same(components?.schemas, {})
})

t.test("a host's hook that wraps every answer leaves ours as they are", async t => {
  const app = bareHost(t)
  app.addHook('preSerialization', async (_request, _reply, payload) => ({ data: payload }))
  app.get('/theirs', async () => ({ ok: true }))
  await app.register(countersign, await pluginOptions(t))
  await app.ready()

  t.same((await app.inject('/theirs')).json(), { data: { ok: true } })
  const token = await registerAda(app)
  const me = await app.inject({ url: '/auth/me', headers: bearer(token) })
  t.match(me.json(), { email: ADA.email, name: null })
  t.equal(me.headers['content-type'], 'application/json; charset=utf-8')
  t.equal((await app.inject({ method: 'POST', url: '/auth/login', payload: ADA })).json<{ tokenType: string }>().tokenType, 'Bearer')
  t.equal((await app.inject({ url: '/auth/sessions', headers: bearer(token) })).json<{ items: object[] }>().items.length, 2)
  t.match((await app.inject('/.well-known/oauth-authorization-server')).json(), { response_types_supported: [] })
  t.match((await app.inject('/.well-known/jwks.json')).json(), { keys: [] })
  t.match((await app.inject('/auth/providers')).json(), { items: [] })
  t.match((await app.inject({ url: '/auth/verify', headers: bearer(token) })).json(), { email: ADA.email })
  t.match((await app.inject('/auth/me')).json(), { code: 'unauthenticated' })
})
