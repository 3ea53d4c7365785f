import t from 'tap'
import { countersign } from '../../src/index.ts'
import { ADA, bareHost, bearer, hostWithPlugin, pluginOptions, registerAda } from './host.ts'

for (const name of ['authenticate', 'authorize'] as const) {
  t.test(`a host that has a decorator "${name}" is told what to do`, async t => {
    const app = bareHost(t)
    app.decorate(name, () => {})
    await t.rejects(
      async () => await app.register(countersign, await pluginOptions(t)),
      { message: `This app already has a decorator named "${name}": rename Countersign's with the option decorators: { ${name}: '…' }` }
    )
  })
}

t.test('a second registration in one app is refused', async t => {
  const app = await hostWithPlugin(t, { build: async () => {} })
  t.ok(app.hasDecorator('countersign'))
  const twice = bareHost(t)
  await twice.register(countersign, await pluginOptions(t))
  await t.rejects(async () => await twice.register(countersign, await pluginOptions(t)), { message: 'Countersign is already registered in this app' })
})

t.test('other names for what the plugin adds', async t => {
  const app = bareHost(t)
  const own = () => {}
  app.decorate('authenticate', own)
  await app.register(countersign, await pluginOptions(t, { decorators: { user: 'principal', authenticate: 'requireLogin', authorize: 'requireRole' } }))
  t.equal(Reflect.get(app, 'authenticate'), own)
  t.equal(Reflect.get(app, 'requireLogin'), app.countersign.authenticate)
  t.equal(Reflect.get(app, 'requireRole'), app.countersign.authorize)

  app.get('/mine', { onRequest: app.countersign.authenticate }, request => ({
    principal: Reflect.get(request, 'principal'),
    hasUser: 'user' in request
  }))
  app.get('/admins', { onRequest: app.countersign.authorize('admin') }, () => 'admins')
  await app.ready()

  const headers = bearer(await registerAda(app))
  const mine = (await app.inject({ url: '/mine', headers })).json()
  t.match(mine, { principal: { email: ADA.email }, hasUser: false })
  t.equal((await app.inject({ url: '/admins', headers })).statusCode, 403)
  t.equal((await app.inject({ url: '/auth/verify', headers })).statusCode, 200, 'our own routes find the principal too')
})
