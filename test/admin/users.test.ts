import t from 'tap'
import { present } from '../support/presence.ts'
import { fieldsOf, isProblem } from '../support/problem.ts'
import { startService, type LoginBody, type Person } from '../support/service.ts'

interface UsersPage {
  items: Array<LoginBody['user'] & { disabled: boolean, updatedAt: string }>
  nextCursor: string | null
}

t.test('/admin/users', async t => {
  const service = await startService(t)
  const admin = await service.admin()
  const list = (query = '', token = admin.accessToken) => service.call<UsersPage>(`GET /admin/users${query}`, { token })

  t.test('is 401 for nobody, 403 for a user, 200 for an admin', async t => {
    const nobody = await service.call('GET /admin/users')
    isProblem(t, nobody, 'unauthenticated')
    t.equal(nobody.headers['www-authenticate'], 'Bearer')

    const { accessToken } = await service.person()
    const user = await service.call('GET /admin/users', { token: accessToken })
    isProblem(t, user, 'forbidden')
    t.equal(user.headers['www-authenticate'], 'Bearer error="insufficient_scope"')

    t.equal((await list()).status, 200)
  })

  t.test('shows accounts without their secrets', async t => {
    const { body, headers, text } = await list()
    const [first] = body.items
    t.strictSame(Object.keys(first ?? {}).sort(), ['createdAt', 'deletionDueAt', 'disabled', 'email', 'emailUndeliverable', 'emailVerified', 'id', 'name', 'role', 'updatedAt'])
    t.match(first, { email: admin.email, role: 'admin', disabled: false })
    t.equal(headers['cache-control'], 'no-store')
    t.notMatch(text, /hash|argon2|version/i)
  })

  t.test('takes the role from the token that was sealed, not from a request', async t => {
    const { accessToken } = await service.person()
    for (const headers of [{ 'x-auth-role': 'admin' }, { role: 'admin' }, { 'x-role': 'admin' }]) {
      t.equal((await service.call('GET /admin/users', { token: accessToken, headers })).status, 403)
    }
    t.equal((await service.call('GET /admin/users?role=admin', { token: accessToken })).status, 403)
  })

  t.test('gives every account once, page after page, while others come', async t => {
    const before: Person[] = []
    for (let n = 0; n < 11; n++) before.push(await service.person())
    const seen: string[] = []
    let query = '?limit=3'
    for (let pages = 0; pages < 20; pages++) {
      const { status, body } = await list(query)
      t.equal(status, 200)
      t.ok(body.items.length <= 3)
      seen.push(...body.items.map(({ id }) => id))
      if (body.nextCursor === null) break
      t.equal(body.items.length, 3, 'only the last page is short')
      query = `?limit=3&cursor=${body.nextCursor}`
      if (pages < 3) await service.person()
    }
    t.equal(new Set(seen).size, seen.length, 'no repeat')
    t.strictSame(before.filter(({ user }) => !seen.includes(user.id)), [], 'no gap')
    const [all] = await service.sql<{ count: number }>('SELECT count(*)::int AS count FROM users')
    t.equal(seen.length, all?.count, 'and those who came meanwhile')
  })

  t.test('a page that ends with the last account is the last', async t => {
    const [all] = await service.sql<{ count: number }>('SELECT count(*)::int AS count FROM users')
    const { body } = await list(`?limit=${all?.count}`)
    t.equal(body.items.length, all?.count)
    t.equal(body.nextCursor, null)
    t.not((await list(`?limit=${Number(all?.count) - 1}`)).body.nextCursor, null)
  })

  t.test('refuses a limit out of bounds', async t => {
    for (const limit of ['0', '-1', '101', '1.5', 'x', '1e1x', '1&limit=2', '9'.repeat(30)]) {
      const answer = await service.call(`GET /admin/users?limit=${limit}`, { token: admin.accessToken })
      isProblem(t, answer, 'validation_failed', limit)
      t.strictSame(fieldsOf(answer), ['limit'], limit)
    }
  })

  t.test('refuses a forged cursor', async t => {
    const good = Buffer.from(admin.user.id.replaceAll('-', ''), 'hex').toString('base64url')
    t.equal((await list(`?cursor=${good}`)).status, 200)
    for (const cursor of ['x', 'null', admin.user.id, good.slice(0, -1), `${good}A`, `${good}=`, good.replace(/.$/, '_'), 'A'.repeat(65), '%00', "'%20OR%201=1--", '../..', `${good}&cursor=${good}`]) {
      const answer = await service.call(`GET /admin/users?cursor=${cursor}`, { token: admin.accessToken })
      isProblem(t, answer, 'validation_failed', cursor)
      t.strictSame(fieldsOf(answer), ['cursor'], cursor)
    }
  })

  t.test('refuses an unknown field of the query by its name', async t => {
    const answer = await service.call('GET /admin/users?limit=1&orderBy=email&where[role]=admin', { token: admin.accessToken })
    isProblem(t, answer, 'validation_failed')
    t.strictSame(fieldsOf(answer), ['orderBy', 'where[role]'])
  })

  t.test('is guarded however its path is spelled', async t => {
    const { accessToken } = await service.person()
    const spellings = ['/%61dmin/users', '/admin/%75sers', '/%61%64%6d%69%6e/%75%73%65%72%73', '/admin/users/', '//admin/users', '/admin//users', '/ADMIN/users', '/Admin/Users',
      '/./admin/users', '/auth/../admin/users', '/admin/users;x', '/admin/users%2f', '/admin%2fusers', '/%2561dmin/users', '/admin/users%00', '/admin/users?limit=1', '/admin\\users']
    for (const path of spellings) {
      for (const method of ['GET', 'HEAD']) {
        const [nobody, user] = [await service.call(`${method} ${path}`), await service.call(`${method} ${path}`, { token: accessToken })]
        t.match(nobody.status, /^4/, `${method} ${path} for nobody`)
        t.match(user.status, /^4/, `${method} ${path} for a user`)
      }
    }
    t.equal((await service.call('GET /%61dmin/users')).status, 401)
    t.equal((await service.call('GET /%61dmin/users', { token: accessToken })).status, 403)
    t.equal((await service.call('GET /%61dmin/users', { token: admin.accessToken })).status, 200)
  })

  t.test('is refused to an admin who was made a user, at once', async t => {
    const other = await service.admin()
    t.equal((await list('', other.accessToken)).status, 200)
    const demotion = await service.call(`PATCH /admin/users/${other.user.id}`, present(admin, { role: 'user' }))
    t.equal(demotion.status, 200)
    t.equal((await list('', other.accessToken)).status, 401)
    t.equal((await list('', (await service.logIn(other)).accessToken)).status, 403)
  })

  t.test('an invalid id is 422, an unknown one 404', async t => {
    for (const id of ['x', 'urn:uuid:0198c5a4-6f5e-7a6b-9d3f-2f6a3b1c4d5e', '%00', '0198c5a46f5e7a6b9d3f2f6a3b1c4d5e', "'", '{0198c5a4-6f5e-7a6b-9d3f-2f6a3b1c4d5e}']) {
      for (const method of ['GET', 'DELETE']) isProblem(t, await service.call(`${method} /admin/users/${id}`, { token: admin.accessToken }), 'validation_failed', `${method} ${id}`)
    }
    for (const method of ['GET', 'DELETE']) isProblem(t, await service.call(`${method} /admin/users/0198c5a4-6f5e-7a6b-9d3f-2f6a3b1c4d5e`, method === 'GET' ? { token: admin.accessToken } : present(admin)), 'not_found', method)
  })
})
