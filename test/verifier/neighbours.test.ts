import fastifyCookie from '@fastify/cookie'
import fastifyJwt from '@fastify/jwt'
import Fastify, { type FastifyInstance } from 'fastify'
import t from 'tap'
import verifier from 'countersign-verifier/fastify'
import { SUBJECT } from '../support/hostile-tokens.ts'
import { goodToken, OPTIONS } from '../support/verifiers.ts'

const bearer = (token: string) => ({ authorization: `Bearer ${token}` })

async function registerTheirs (app: FastifyInstance): Promise<void> {
  await app.register(fastifyCookie)
  await app.register(fastifyJwt, { secret: 'a secret of theirs, and nobody else\'s' })
}

async function registerOurs (app: FastifyInstance): Promise<void> {
  await app.register(verifier, OPTIONS)
}

const orders = { after: [registerTheirs, registerOurs], before: [registerOurs, registerTheirs] }

for (const [order, steps] of Object.entries(orders)) {
  t.test(`beside @fastify/jwt, registered ${order} it, both do their work`, async t => {
    const app: FastifyInstance = Fastify()
    t.teardown(() => app.close())
    for (const register of steps) await register(app)
    app.get('/ours', { onRequest: app.authenticate }, request => ({ user: request.user, principal: app.verifier.principal(request) }))
    app.get('/theirs', { onRequest: request => request.jwtVerify() }, request => ({ user: request.user, principal: app.verifier.principal(request) }))

    t.match((await app.inject({ url: '/ours', headers: bearer(goodToken()) })).json(), { user: { id: SUBJECT.sub }, principal: { id: SUBJECT.sub } })
    const theirs = app.jwt.sign({ name: 'Charles' })
    t.match((await app.inject({ url: '/theirs', headers: bearer(theirs) })).json(), { user: { name: 'Charles' }, principal: null })
    t.equal((await app.inject({ url: '/ours', headers: bearer(theirs) })).statusCode, 401)
    t.equal((await app.inject({ url: '/theirs', headers: bearer(goodToken()) })).statusCode, 401)
  })
}

t.test('guards stand in the app that registers the plugin, and in its children', async t => {
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(verifier, OPTIONS)
  await app.register(async child => { child.get('/', { onRequest: child.authenticate }, ({ headers }) => headers.host) }, { prefix: '/child' })
  t.equal((await app.inject({ url: '/child', headers: bearer(goodToken()) })).statusCode, 200)
  t.equal((await app.inject('/child')).statusCode, 401)
})

t.test('a name that is taken is said, and can be another', async t => {
  const app = Fastify()
  t.teardown(() => app.close())
  app.decorate('authenticate', function theirs () {})
  await t.rejects(async () => app.register(verifier, OPTIONS), { message: /decorator named "authenticate".*decorators: { authenticate: '…' }/ })

  const other = Fastify()
  t.teardown(() => other.close())
  await other.register(verifier, { ...OPTIONS, decorators: { user: 'who', authenticate: 'requireUser', authorize: 'requireRole', verifier: 'countersigned' } })
  for (const name of ['requireUser', 'requireRole', 'countersigned']) t.ok(other.hasDecorator(name), name)
  t.notOk(other.hasDecorator('authenticate'))
})

t.test('refusals are passed to the app\'s error handler where it wants them, with their headers', async t => {
  const app = Fastify()
  t.teardown(() => app.close())
  app.setErrorHandler<Error & { code: string, statusCode: number }>(({ code, statusCode }, _request, reply) => reply.code(statusCode).send({ mine: code }))
  await app.register(verifier, { ...OPTIONS, passRefusals: true })
  app.get('/', { onRequest: app.authenticate }, () => 'fine')
  const { statusCode, headers, body } = await app.inject('/')
  t.strictSame([statusCode, headers['www-authenticate'], JSON.parse(body)], [401, 'Bearer', { mine: 'unauthenticated' }])
})
