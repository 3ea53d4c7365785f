import t from 'tap'
import { present } from '../support/presence.ts'
import { fieldsOf, isProblem } from '../support/problem.ts'
import { PASSWORD, startService, type LoginBody } from '../support/service.ts'

t.test('an admin who creates an account for somebody else', async t => {
  const service = await startService(t)
  const admin = await service.admin()
  const create = (json: object) => service.call<LoginBody['user'] & { disabled: boolean }>('POST /admin/users', present(admin, json))

  t.test('gives it an address, a name and a role', async t => {
    const { status, body, cookies } = await create({ email: ' Grace@Example.com', name: 'Grace Hopper', role: 'admin' })
    t.equal(status, 201)
    t.match(body, { email: 'grace@example.com', emailVerified: false, name: 'Grace Hopper', role: 'admin', disabled: false })
    t.strictSame(cookies, {})
    t.match(await service.call(`GET /admin/users/${body.id}`, { token: admin.accessToken }), { status: 200, body })
    t.match((await create({ email: 'plain@example.com' })).body, { name: null, role: 'user' })
    const trail = await service.sql('SELECT action, outcome, actor_id, detail FROM audit_events WHERE subject_id = $1::uuid', body.id)
    t.strictSame(trail, [{ action: 'create', outcome: 'success', actor_id: admin.user.id, detail: { role: 'admin' } }])
  })

  t.test('neither chooses nor sees a password, and nobody can log in with one', async t => {
    for (const field of ['password', 'passwordHash', 'emailVerified', 'id']) {
      const answer = await service.call('POST /admin/users', present(admin, { email: 'x@example.com', [field]: PASSWORD }))
      isProblem(t, answer, 'validation_failed', field)
      t.strictSame(fieldsOf(answer), [field])
    }
    t.equal((await create({ email: 'silent@example.com' })).status, 201)
    for (const password of [PASSWORD, 'null', 'undefined']) isProblem(t, await service.call('POST /auth/login', { json: { email: 'silent@example.com', password } }), 'invalid_credentials')
  })

  t.test('is told of an address that is taken', async t => {
    isProblem(t, await service.call('POST /admin/users', present(admin, { email: admin.email.toUpperCase() })), 'email_taken')
    const person = await service.person()
    await service.sql("UPDATE users SET email = 'ada@bücher.example' WHERE id = $1::uuid", person.user.id)
    for (const email of ['ada@xn--bcher-kva.example', 'Ada@Bücher.example']) isProblem(t, await service.call('POST /admin/users', present(admin, { email })), 'email_taken', email)
    const statuses = await Promise.all([1, 2, 3].map(async () => (await create({ email: 'crowd@example.com' })).status))
    t.strictSame(statuses.sort(), [201, 409, 409])
  })

  t.test('must be an admin', async t => {
    const { accessToken } = await service.person()
    isProblem(t, await service.call('POST /admin/users', { json: { email: 'y@example.com' }, token: accessToken }), 'forbidden')
    isProblem(t, await service.call('POST /admin/users', { json: { email: 'y@example.com' } }), 'unauthenticated')
  })
})
