import { randomUUID } from 'node:crypto'
import t from 'tap'
import { present } from '../support/presence.ts'
import { fieldsOf, isProblem } from '../support/problem.ts'
import { startService } from '../support/service.ts'

interface AuditPage {
  items: Array<Record<'id' | 'at' | 'action' | 'outcome' | 'actorId' | 'subjectId' | 'sessionId' | 'ip' | 'userAgent', string | null> & { detail: object | null }>
  nextCursor: string | null
}

t.test('/admin/audit', async t => {
  const service = await startService(t)
  const admin = await service.admin()
  const list = (query = '', token = admin.accessToken) => service.call<AuditPage>(`GET /admin/audit${query}`, { token })

  t.test('is 401 for nobody, 403 for a user, 200 for an admin', async t => {
    isProblem(t, await service.call('GET /admin/audit'), 'unauthenticated')
    const user = await service.call('GET /admin/audit', { token: (await service.person()).accessToken })
    isProblem(t, user, 'forbidden')
    t.equal(user.headers['www-authenticate'], 'Bearer error="insufficient_scope"')
    t.equal((await list()).status, 200)
  })

  t.test('shows who did what to whom, from where, the newest first', async t => {
    const person = await service.person()
    await service.call('POST /auth/login', { json: { email: person.email, password: 'not the password' }, from: '192.0.2.9', headers: { 'user-agent': 'Guesser/1.0' } })
    await service.call(`PATCH /admin/users/${person.user.id}`, present(admin, { role: 'admin' }))
    const { body, text, headers } = await list(`?subject=${person.user.id}`)
    t.strictSame(body.items.map(({ action, outcome }) => `${action} ${outcome}`), ['role_change success', 'login failure', 'register success', 'login success'])
    const [change, guess] = body.items
    t.match(change, { actorId: admin.user.id, subjectId: person.user.id, sessionId: null, detail: { role: 'admin' } })
    t.match(guess, { actorId: null, subjectId: person.user.id, ip: '192.0.2.9', userAgent: 'Guesser/1.0', detail: null })
    t.strictSame(Object.keys(guess ?? {}).sort(), ['action', 'actorId', 'at', 'detail', 'id', 'ip', 'lastAt', 'outcome', 'sessionId', 'subjectId', 'times', 'userAgent'])
    t.match(guess?.at, /^\d{4}-\d\d-\d\dT[\d:.]+Z$/)
    t.notMatch(text, /not the password|correct horse|argon2/)
    t.equal(headers['cache-control'], 'no-store')
  })

  t.test('finds an account in whatever case its id is written', async t => {
    const { user } = await service.person()
    t.equal((await list(`?subject=${user.id.toUpperCase()}`)).body.items.length, 2)
    t.strictSame((await list(`?subject=${randomUUID()}`)).body, { items: [], nextCursor: null })
  })

  t.test('applies the filters', async t => {
    const { user } = await service.person()
    t.ok((await list('?action=login&limit=100')).body.items.every(({ action }) => action === 'login'))
    t.strictSame((await list(`?action=register&subject=${user.id}`)).body.items.map(({ action, subjectId }) => [action, subjectId]), [['register', user.id]])
  })

  t.test('gives every event once, page after page, while others come', async t => {
    const [before] = await service.sql<{ count: number }>('SELECT count(*)::int AS count FROM audit_events')
    const seen: string[] = []
    for (let query = '?limit=4'; ;) {
      const { body } = await list(query)
      seen.push(...body.items.map(({ id }) => id ?? ''))
      if (body.nextCursor === null) break
      query = `?limit=4&cursor=${body.nextCursor}`
      if (seen.length < 9) await service.person()
    }
    t.equal(seen.length, before?.count)
    t.equal(new Set(seen).size, seen.length)
  })

  t.test('refuses an invalid or unknown parameter by its name', async t => {
    for (const [query, field] of [['limit=0', 'limit'], ['cursor=x', 'cursor'], ['subject=ada', 'subject'], ['action=breathe', 'action'], ['actor=x', 'actor']] as const) {
      const answer = await service.call(`GET /admin/audit?${query}`, { token: admin.accessToken })
      isProblem(t, answer, 'validation_failed', query)
      t.strictSame(fieldsOf(answer), [field])
    }
  })
})
