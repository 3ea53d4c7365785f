import fastifyCookie from '@fastify/cookie'
import fastifyJwt from '@fastify/jwt'
import type { FastifyInstance } from 'fastify'
import t, { type Test } from 'tap'
import { generateSecret } from '../../src/config/generated-secrets.ts'
import { countersign } from '../../src/index.ts'
import { ADA, bareHost, bearer, pluginOptions, registerAda } from './host.ts'

const secret = generateSecret()

const orders = {
  'after them': [registerTheirs, registerOurs],
  'before them': [registerOurs, registerTheirs],
  'between them': [app => app.register(fastifyCookie), registerOurs, app => app.register(fastifyJwt, { secret })]
} satisfies Record<string, ((app: FastifyInstance, t: Test) => unknown)[]>

async function registerTheirs (app: FastifyInstance): Promise<void> {
  await app.register(fastifyCookie, { secret: 'sign my cookies' })
  await app.register(fastifyJwt, { secret, cookie: { cookieName: 'their-token', signed: false } })
}

async function registerOurs (app: FastifyInstance, t: Test): Promise<void> {
  await app.register(countersign, await pluginOptions(t))
}

for (const [order, steps] of Object.entries(orders)) {
  t.test(`beside @fastify/jwt and @fastify/cookie, registered ${order}, all do their work`, async t => {
    const app = bareHost(t)
    for (const register of steps) await register(app, t)
    app.get('/ours', { onRequest: app.authenticate }, request => ({ user: request.user, principal: app.countersign.principal(request) }))
    app.get('/theirs', { onRequest: request => request.jwtVerify() }, request => ({ user: request.user, principal: app.countersign.principal(request) }))
    app.get('/cookies', (request, reply) => reply.setCookie('theirs', 'set').send(request.cookies))
    app.get('/sign', async (_request, reply) => ({ token: await reply.jwtSign({ name: 'Charles' }) }))
    await app.ready()

    const ours = await registerAda(app)
    const mine = (await app.inject({ url: '/ours', headers: bearer(ours) })).json()
    t.match(mine, { user: { email: ADA.email }, principal: { email: ADA.email } })

    const { token: theirs } = (await app.inject('/sign')).json<{ token: string }>()
    const answer = (await app.inject({ url: '/theirs', headers: bearer(theirs) })).json()
    t.match(answer.user, { name: 'Charles' }, 'their token gives their payload')
    t.equal(answer.principal, null, 'which is no principal of ours')
    t.equal((await app.inject({ url: '/ours', headers: bearer(theirs) })).statusCode, 401, 'their token opens nothing of ours')
    t.equal((await app.inject({ url: '/theirs', headers: bearer(ours) })).statusCode, 401, 'our token opens nothing of theirs')

    const cookies = await app.inject({ url: '/cookies', cookies: { a: '1' } })
    t.same(cookies.json(), { a: '1' })
    t.match(cookies.headers['set-cookie'], /^theirs=set/)

    const login = await app.inject({ method: 'POST', url: '/auth/login', payload: { ...ADA, deliver: 'cookie' }, headers: { 'x-countersign': '1' } })
    t.same(login.cookies.map(({ name }) => name), ['access', 'refresh', 'device'])
    const access = login.cookies.find(({ name }) => name === 'access')?.value ?? ''
    t.match((await app.inject({ url: '/ours', cookies: { access } })).json(), { user: { email: ADA.email } })

    t.same(Object.keys(app.jwt).includes('countersign'), false, 'their app.jwt knows nothing of our keys')
  })
}
