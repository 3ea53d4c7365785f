import t from 'tap'
import { present } from '../support/presence.ts'
import { isProblem } from '../support/problem.ts'
import { startService } from '../support/service.ts'

interface Document { paths: Record<string, Record<string, { requestBody?: { content: Record<string, { example?: object, schema: { examples?: object[] } }> } }>> }

t.test('an admin\'s access token, stolen', async t => {
  const service = await startService(t)
  const document = (await service.call<Document>('GET /openapi.json')).body
  const routes = Object.entries(document.paths).filter(([path]) => path.startsWith('/admin/')).flatMap(([path, methods]) =>
    Object.entries(methods).filter(([method]) => method !== 'get').map(([method, { requestBody }]) => {
      const media = requestBody?.content['application/json']
      return { method: method.toUpperCase(), path, body: media?.example ?? media?.schema.examples?.[0] ?? {} }
    }))
  t.ok(routes.length >= 4, `${routes.length} routes write`)

  for (const { method, path, body } of routes) {
    t.test(`does not let anybody in by ${method} ${path}, as Bearer or as cookie`, async t => {
      const [admin, victim] = [await service.admin(), await service.person()]
      const target = `${method} ${path.replace(/\{\w+\}/, victim.user.id)}`
      const { refreshToken: _, ...json } = body as { refreshToken?: string }
      const before = await service.sql('SELECT to_jsonb(users) AS row FROM users ORDER BY id')
      const attackers = await service.person()
      isProblem(t, await service.call(target, { token: admin.accessToken, json }), 'insufficient_user_authentication', 'Bearer')
      isProblem(t, await service.call(target, { cookies: { access: admin.accessToken }, headers: { 'x-countersign': '1' }, json }), 'insufficient_user_authentication', 'cookie')
      isProblem(t, await service.call(target, present({ ...admin, refreshToken: attackers.refreshToken }, json)), 'insufficient_user_authentication', 'beside the attacker\'s own session')
      t.strictSame(await service.sql('SELECT to_jsonb(users) AS row FROM users WHERE id <> $1::uuid ORDER BY id', attackers.user.id), before)
      t.equal((await service.call('GET /auth/verify', { token: victim.accessToken })).status, 200, 'and nobody is logged out')
      const allowed = await service.call(target, present(admin, json))
      t.ok(allowed.status < 300, `with presence it is done: ${allowed.status} ${allowed.text}`)
    })
  }

  t.test('reads', async t => {
    const { accessToken: token } = await service.admin()
    t.equal((await service.call('GET /admin/users', { token })).status, 200)
    t.equal((await service.call('GET /admin/audit', { token })).status, 200)
  })

  t.test('a body with nothing but presence changes nothing', async t => {
    const [admin, person] = [await service.admin(), await service.person()]
    isProblem(t, await service.call(`PATCH /admin/users/${person.user.id}`, present(admin)), 'validation_failed')
  })
})
