import t from 'tap'
import { openTestDatabase, testDatabase } from '../support/database.ts'
import { clientToken, post, registerClient } from '../support/oauth.ts'
import { PASSWORD, startService, type TestService } from '../support/service.ts'

/** Events share a row for some minutes by the clock: a test that crosses a boundary finds two. */
const isOneRow = (rows: unknown[]) => rows.length === 1 || rows.length === 2

interface Row { action: string, outcome: string, times: number, ip: string, userAgent: string, lastAt: Date | null }

/** All that is in the audit trail once the service has written what it counted. */
async function trailOf (service: TestService, where: string): Promise<Row[]> {
  const admin = await service.admin()
  await service.call('GET /admin/audit', { token: admin.accessToken })
  return await service.sql(`SELECT action, outcome, times, ip, user_agent AS "userAgent", last_at AS "lastAt" FROM audit_events WHERE ${where}`)
}

const sum = (rows: Row[]) => rows.reduce((total, { times }) => total + times, 0)

t.test('what a stranger repeats does not make the audit trail grow', async t => {
  const service = await startService(t)

  t.test('failed logins of an account from one network share a row', async t => {
    const { email, user } = await service.person()
    for (let n = 0; n < 25; n++) await service.call('POST /auth/login', { json: { email, password: 'wrong' }, from: `2001:db8::${n}`, headers: { 'user-agent': `Guesser/${n}` } })
    await service.call('POST /auth/login', { json: { email, password: 'wrong' }, from: '192.0.2.7' })
    const rows = await trailOf(service, `subject_id = '${user.id}' AND outcome = 'failure' AND ip LIKE '2001:%'`)
    t.ok(isOneRow(rows), `${rows.length} rows`)
    t.equal(sum(rows), 25)
    t.match(rows[0], { ip: '2001:db8::', userAgent: 'Guesser/0', lastAt: Date })
    t.equal(sum(await trailOf(service, `subject_id = '${user.id}' AND outcome = 'failure'`)), 26)
  })

  t.test('so do those of accounts that do not exist', async t => {
    for (let n = 0; n < 25; n++) await service.call('POST /auth/login', { json: { email: `nobody-${n}@example.com`, password: 'wrong' }, from: '192.0.2.99' })
    const rows = await trailOf(service, "outcome = 'failure' AND ip = '192.0.2.99'")
    t.ok(isOneRow(rows), `${rows.length} rows`)
    t.equal(sum(rows), 25)
  })

  t.test('so do wrong passwords of somebody who is logged in', async t => {
    const person = await service.person()
    for (let n = 0; n < 10; n++) await service.call('POST /auth/password', { token: person.accessToken, json: { currentPassword: 'wrong', newPassword: 'a staple of nine words', refreshToken: person.refreshToken } })
    const rows = await trailOf(service, `subject_id = '${person.user.id}' AND action = 'password_change'`)
    t.ok(isOneRow(rows), `${rows.length} rows`)
    t.equal(sum(rows), 10)
  })

  t.test('a refresh token that is repeated in its window is noted once a session and minute', async t => {
    const person = await service.person()
    await service.call('POST /auth/refresh', { json: { refreshToken: person.refreshToken } })
    for (let n = 0; n < 25; n++) {
      const { status } = await service.call('POST /auth/refresh', { json: { refreshToken: person.refreshToken }, from: `203.0.113.${n}`, headers: { 'user-agent': `agent ${n}` } })
      t.equal(status, 200)
    }
    const rows = await trailOf(service, `subject_id = '${person.user.id}' AND action = 'refresh'`)
    t.ok(isOneRow(rows), `${rows.length} rows`)
    t.equal(sum(rows), 25)
  })

  t.test('wrong secrets of a client share a row, and so do the tokens that it takes', async t => {
    const client = await registerClient(service)
    for (let n = 0; n < 10; n++) await post(service, '/oauth/token', { grant_type: 'client_credentials' }, { id: client.id, secret: PASSWORD })
    for (let n = 0; n < 10; n++) await clientToken(service, client)
    for (const action of ['client_authentication', 'client_token']) {
      const rows = await trailOf(service, `detail->>'clientId' = '${client.id}' AND action = '${action}'`)
      t.ok(isOneRow(rows), `${action}: ${rows.length} rows`)
      t.equal(sum(rows), 10)
    }
  })

  t.test('a registration that tells whether an address is taken leaves a trace', async t => {
    const { email, user } = await service.person()
    for (const [address, status, code] of [[email, 409, 'email_taken'], ['free@example.com', 422, 'unknown_audience']] as const) {
      for (let n = 0; n < 2; n++) t.match(await service.call('POST /auth/register', { json: { email: address, password: PASSWORD, audience: 'invented' }, from: '192.0.2.98' }), { status, body: { code } })
      const rows = await trailOf(service, `action = 'register' AND outcome = 'failure' AND ip = '192.0.2.98' AND subject_id IS NULL AND detail->>'code' = '${code}'`)
      t.ok(isOneRow(rows), `${rows.length} rows`)
      t.equal(sum(rows), 2)
    }
    t.equal((await trailOf(service, `action = 'register' AND outcome = 'success' AND subject_id = '${user.id}'`)).length, 1)
  })

  t.test('requests that are refused before anybody is known leave nothing', async t => {
    const count = async () => (await trailOf(service, "ip = '198.51.100.99'")).length
    for (const target of ['POST /auth/refresh', 'POST /auth/logout', 'POST /auth/password', 'POST /oauth/token', 'POST /oauth/revoke', 'POST /auth/providers/exchange', 'POST /auth/identities/link/exchange', 'GET /auth/verify', 'GET /admin/users', 'DELETE /auth/me']) {
      await service.call(target, { token: 'a.b.c', json: { refreshToken: 'x', code: 'x'.repeat(43), codeVerifier: 'v'.repeat(43) }, from: '198.51.100.99' })
      await service.call(target, { cookies: { access: 'x', refresh: 'x', session: 'x' }, headers: { 'sec-fetch-site': 'cross-site' }, from: '198.51.100.99' })
    }
    t.equal(await count(), 0)
  })

  t.test('the list says how often, and when last', async t => {
    const { email, user } = await service.person()
    const admin = await service.admin()
    for (let n = 0; n < 3; n++) await service.call('POST /auth/login', { json: { email, password: 'wrong' } })
    const { body } = await service.call<{ items: Array<{ outcome: string, times: number, at: string, lastAt: string | null }> }>(`GET /admin/audit?subject=${user.id}`, { token: admin.accessToken })
    const failures = body.items.filter(({ outcome }) => outcome === 'failure')
    t.equal(failures.reduce((total, { times }) => total + times, 0), 3)
    t.ok(failures.every(({ at, lastAt }) => lastAt !== null && lastAt >= at))
    t.match(body.items.find(({ outcome }) => outcome === 'success'), { times: 1, lastAt: null })
  })
})

t.test('a stop writes what was counted', async t => {
  const { url, dataDir } = await testDatabase(t)
  const service = await startService(t, { ...url !== undefined && { DATABASE_URL: url }, ...dataDir !== undefined && { DATA_DIR: dataDir } })
  const { email, user } = await service.person()
  for (let n = 0; n < 12; n++) await service.call('POST /auth/login', { json: { email, password: 'wrong' } })
  await service.app.close()
  const database = await openTestDatabase(t, { ...url !== undefined && { url }, ...dataDir !== undefined && { dataDir } })
  const rows = await database.query<Row>({ name: 'test-after-stop', text: "SELECT times FROM audit_events WHERE subject_id = $1::uuid AND outcome = 'failure'" }, [user.id])
  t.ok(isOneRow(rows), `${rows.length} rows`)
  t.equal(sum(rows), 12)
})

t.test('one response does not wait longer than another: none waits for the audit trail', async t => {
  const service = await startService(t)
  const { email } = await service.person()
  const held = service.hold('audit.coalesce')
  const { status } = await service.call('POST /auth/login', { json: { email, password: 'wrong' } })
  await held.reached
  t.equal(status, 401)
  held.release()
})
