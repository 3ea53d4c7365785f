import t from 'tap'
import { createExportStore } from '../../src/accounts/export-store.ts'
import { statefulSession } from '../sessions/session-rows.ts'
import { onPostgres } from '../support/database.ts'
import { present } from '../support/presence.ts'
import { isProblem } from '../support/problem.ts'
import { startService, type Person, type TestService } from '../support/service.ts'

interface Exported {
  exportedAt: string
  account: Record<string, unknown>
  identities: Array<Record<string, unknown>>
  sessions: Array<Record<string, unknown>>
  events: Array<Record<string, unknown>>
}

const exportOf = ({ call }: TestService, { accessToken: token }: Pick<Person, 'accessToken'>) => call<Exported>('GET /auth/me/export', { token })

t.test('exporting one\'s own data', async t => {
  const service = await startService(t)

  t.test('gives everything about the account, as a file', async t => {
    const person = await service.person()
    await service.sql("INSERT INTO identities (id, user_id, provider, issuer, subject, email, access_token, refresh_token) VALUES (gen_random_uuid(), $1::uuid, 'google', 'https://accounts.google.com', $1, 'ada@gmail.example', 'secret-access', 'secret-refresh')", person.user.id)
    await statefulSession(service, person)
    await service.call('POST /auth/login', { json: { email: person.email, password: 'not the right password' }, from: '203.0.113.66' })
    const { status, headers, body } = await exportOf(service, person)
    t.equal(status, 200)
    t.match(headers, { 'content-type': /^application\/json/, 'content-disposition': 'attachment; filename="account.json"', 'cache-control': 'no-store' })
    t.strictSame(Object.keys(body), ['exportedAt', 'account', 'identities', 'sessions', 'events'])
    t.match(body.account, { id: person.user.id, email: person.email, name: 'Ada Lovelace', role: 'user', locale: null, hasPassword: true, emailVerified: false, deletionDueAt: null })
    t.match(body.identities, [{ provider: 'google', subject: person.user.id, email: 'ada@gmail.example' }])
    t.match(body.sessions, [{ channel: 'body', ip: '127.0.0.1', endedAt: null }, { channel: 'session' }])
    t.strictSame(body.events.map(({ action, outcome }) => `${String(action)} ${String(outcome)}`).sort(), ['login failure', 'login success', 'login success', 'register success'])
    t.match(body.events.find(({ outcome }) => outcome === 'failure'), { ip: '203.0.113.66', bySomebodyElse: false })
  })

  t.test('has no secret, no hash, and nobody else\'s data in it', async t => {
    const [person, other, admin] = [await service.person(), await service.person(), await service.admin()]
    await service.sql("INSERT INTO identities (id, user_id, provider, issuer, subject, access_token, refresh_token) VALUES (gen_random_uuid(), $1::uuid, 'github', 'https://github.com', $1, 'secret-access', 'secret-refresh')", person.user.id)
    await service.call(`POST /admin/users/${person.user.id}/verify-email`, { ...present(admin), from: '198.51.100.20' })
    const { text, body } = await exportOf(service, person)
    const [row] = await service.sql<{ hash: string, nonce: Buffer }>('SELECT u.password_hash AS hash, s.nonce FROM users u JOIN sessions s ON s.user_id = u.id WHERE u.id = $1::uuid', person.user.id)
    for (const secret of [row?.hash, row?.nonce.toString('base64url'), row?.nonce.toString('hex'), person.refreshToken, 'secret-access', 'secret-refresh', '$argon2', 'nonce', 'keyId', other.email, other.user.id, admin.user.id, '198.51.100.20']) {
      t.ok(secret !== undefined && !text.includes(secret), String(secret).slice(0, 12))
    }
    t.match(body.events.find(({ action }) => action === 'email_verify'), { bySomebodyElse: true, ip: null, userAgent: null })
  })

  t.test('comes in pages, whole, in order and without repeats', async t => {
    const person = await service.person()
    await service.sql("INSERT INTO audit_events (id, at, action, outcome, subject_id) SELECT ('01900000-0000-7000-8000-' || lpad(to_hex(100 - n), 12, '0'))::uuid, now() - (60 + n / 3) * interval '1 second', 'logout', 'success', $1::uuid FROM generate_series(1, 25) n", person.user.id)
    const store = createExportStore(service.database, 4)
    const events: Array<{ id: string, at: Date }> = []
    for await (const event of store.events(person.user.id)) events.push(event)
    t.equal(events.length, 27)
    t.equal(new Set(events.map(({ id }) => id)).size, 27)
    t.strictSame(events.map(({ at }) => at.getTime()), events.map(({ at }) => at.getTime()).sort((a, b) => a - b))
    const sessions = []
    for await (const session of store.sessions(person.user.id)) sessions.push(session)
    t.equal(sessions.length, 1)
  })

  t.test('a long audit trail is sent while it is read', onPostgres, async t => {
    const person = await service.person()
    await service.sql("INSERT INTO audit_events (id, at, action, outcome, subject_id, user_agent) SELECT gen_random_uuid(), now() - n * interval '1 second', 'logout', 'success', $1::uuid, repeat('x', 400) FROM generate_series(1, 20000) n", person.user.id)
    const { body } = await exportOf(service, person)
    t.equal(body.events.length, 20_002)
  })

  t.test('is for its owner, by whatever credential', async t => {
    isProblem(t, await service.call('GET /auth/me/export'), 'unauthenticated')
    const person = await service.person()
    const cookies = await statefulSession(service, person)
    t.match(await service.call<Exported>('GET /auth/me/export', { cookies }), { status: 200, body: { account: { id: person.user.id } } })
    await service.sql('DELETE FROM users WHERE id = $1::uuid', person.user.id)
    isProblem(t, await service.call('GET /auth/me/export', { token: person.accessToken }), 'invalid_token')
  })
})
