import t, { type Test } from 'tap'
import { rowOf, statefulSession } from '../sessions/session-rows.ts'
import { commitInFrontOf } from '../support/lock-in-front.ts'
import { present } from '../support/presence.ts'
import { PASSWORD, startService, type LoginBody, type Person } from '../support/service.ts'
import { onPostgres } from '../support/database.ts'

const NOBODY = '01890a5d-ac96-774b-bcce-b302099a8057'

t.test('what an admin does to an account', async t => {
  const service = await startService(t)
  const admin = await service.admin()
  const patch = (id: string, json: object, by: LoginBody = admin) => service.call<Record<string, unknown>>(`PATCH /admin/users/${id}`, present(by, json))
  const verify = (token: string) => service.call<{ role: string }>('GET /auth/verify', { token })
  const refresh = (refreshToken: string) => service.call<LoginBody>('POST /auth/refresh', { json: { refreshToken } })
  const auditOf = (person: Person, action: string) => service.sql(
    'SELECT actor_id AS "actorId", outcome, ip, detail FROM audit_events WHERE subject_id = $1::uuid AND action = $2', person.user.id, action)
  const ledgerOf = (person: Person) => service.sql<{ kind: string, minVersion: number | null }>(
    'SELECT kind::text AS kind, min_version AS "minVersion" FROM revocations WHERE subject = $1 ORDER BY id', person.user.id)

  async function isLoggedOut (t: Test, person: Person, session: Record<string, string>): Promise<void> {
    t.match(await verify(person.accessToken), { status: 401, body: { code: 'invalid_token' } }, 'the access token is dead')
    t.match(await refresh(person.refreshToken), { status: 401, body: { code: 'invalid_refresh_token' } }, 'so is the refresh token')
    t.equal((await service.call('GET /auth/verify', { cookies: session })).status, 401, 'so is the stateful session')
  }

  t.test('a change of role logs nobody out', async t => {
    const person = await service.person()
    const session = await statefulSession(service, person)
    const { access = '', refresh: cookie = '' } = await service.cookiesOf(person)
    t.match(await service.call('GET /auth/verify', { cookies: session }), { status: 200, body: { role: 'user' } })
    t.match(await patch(person.user.id, { role: 'admin' }), { status: 200, body: { id: person.user.id, role: 'admin', disabled: false } })
    t.equal((await verify(person.accessToken)).status, 401, 'a token with the old role is refused at once')
    const { status, body } = await refresh(person.refreshToken)
    t.equal(status, 200)
    t.match(await verify(body.accessToken), { status: 200, body: { role: 'admin' } })
    t.equal((await service.call('GET /auth/verify', { cookies: { access } })).status, 401, 'in a cookie as well')
    const { cookies } = await service.call('POST /auth/refresh', { cookies: { refresh: cookie }, headers: { 'sec-fetch-site': 'same-origin' } })
    t.match(await service.call('GET /auth/verify', { cookies: { access: cookies.access?.value ?? '' } }), { status: 200, body: { role: 'admin', credential: 'cookie' } })
    t.match(await service.call('GET /auth/verify', { cookies: session }), { status: 200, body: { role: 'admin' } }, 'a stateful session has it at its next request')
    t.strictSame(await service.sql('SELECT 1 FROM sessions WHERE user_id = $1::uuid AND ended_at IS NOT NULL', person.user.id), [])
    t.match(await auditOf(person, 'role_change'), [{ actorId: admin.user.id, outcome: 'success', ip: '127.0.0.1', detail: { role: 'admin' } }])
  })

  t.test('a token minted in the same second as the change is refused by its version', async t => {
    for (let attempt = 0; ; attempt++) {
      const person = await service.person()
      await patch(person.user.id, { role: 'admin' })
      const { body } = await refresh(person.refreshToken)
      const [before, after] = [claimsOf(person.accessToken), claimsOf(body.accessToken)]
      if (before.iat !== after.iat && attempt < 20) continue
      t.equal(after.iat, before.iat)
      t.strictSame([before.ver, after.ver], [1, 2])
      t.equal((await verify(person.accessToken)).status, 401)
      t.equal((await verify(body.accessToken)).status, 200)
      break
    }
  })

  t.test('disabling ends every session', async t => {
    const person = await service.person()
    const session = await statefulSession(service, person)
    t.match(await patch(person.user.id, { disabled: true }), { status: 200, body: { disabled: true } })
    await isLoggedOut(t, person, session)
    t.match(await rowOf(service, person), { endedReason: 'disabled' })
    t.match(await ledgerOf(person), [{ kind: 'user', minVersion: 2 }])
    t.match(await auditOf(person, 'disable'), [{ actorId: admin.user.id, outcome: 'success' }])
    t.equal((await service.call('POST /auth/login', { json: { email: person.email, password: PASSWORD } })).status, 401)

    await patch(person.user.id, { disabled: false })
    await isLoggedOut(t, person, session)
    t.equal((await verify((await service.logIn(person)).accessToken)).status, 200, 'enabled again, it may log in')
    t.match(await auditOf(person, 'enable'), [{ outcome: 'success' }])
  })

  t.test('deleting revokes every token, for ever', async t => {
    const person = await service.person()
    const session = await statefulSession(service, person)
    t.equal((await service.call(`DELETE /admin/users/${person.user.id}`, present(admin))).status, 204)
    await isLoggedOut(t, person, session)
    t.strictSame(await ledgerOf(person), [{ kind: 'user', minVersion: 2_147_483_647 }])
    t.match(await auditOf(person, 'delete'), [{ actorId: admin.user.id, outcome: 'success' }])
    t.equal((await service.call(`GET /admin/users/${person.user.id}`, { token: admin.accessToken })).status, 404)
  })

  t.test('ending the sessions ends them all, and lets in who logs in again', async t => {
    const person = await service.person()
    const session = await statefulSession(service, person)
    t.equal((await service.call(`DELETE /admin/users/${person.user.id}/sessions`, present(admin))).status, 204)
    await isLoggedOut(t, person, session)
    t.match(await auditOf(person, 'session_end'), [{ actorId: admin.user.id }])
    t.equal((await verify((await service.logIn(person)).accessToken)).status, 200)
  })

  t.test('a change that changes nothing revokes nothing', async t => {
    const person = await service.person()
    t.equal((await patch(person.user.id, { role: 'user', disabled: false })).status, 200)
    t.equal((await verify(person.accessToken)).status, 200)
    t.strictSame(await ledgerOf(person), [])
  })

  t.test('an unknown account is 404, and a user who is no admin gets 403', async t => {
    const person = await service.person()
    for (const [target, json] of [[`PATCH /admin/users/${NOBODY}`, { disabled: true }], [`DELETE /admin/users/${NOBODY}`], [`DELETE /admin/users/${NOBODY}/sessions`]] as const) {
      const body = json === undefined ? {} : { json }
      t.match(await service.call(target, present(admin, json)), { status: 404, body: { code: 'not_found' } })
      t.match(await service.call(target, { ...body, token: person.accessToken }), { status: 403, body: { code: 'forbidden' } })
      t.match(await service.call(target, body), { status: 401 })
    }
    for (const json of [{}, { role: 'root' }, { disabled: 'yes' }, { email: 'x@example.com' }]) t.equal((await patch(person.user.id, json)).status, 422, JSON.stringify(json))
  })

  t.test('the last admin stays', async t => {
    const refused = { status: 409, body: { code: 'last_admin' } }
    await service.sql("UPDATE users SET role = 'user' WHERE id <> $1::uuid", admin.user.id)
    t.match(await patch(admin.user.id, { role: 'user' }), refused)
    t.match(await patch(admin.user.id, { disabled: true }), refused)
    t.match(await patch(admin.user.id.toUpperCase(), { role: 'user' }), refused, 'in whatever case the id is written')
    t.match(await service.call(`DELETE /admin/users/${admin.user.id}`, present(admin)), refused)
    t.match(await service.call('POST /auth/me/delete', present(admin)), refused)
    t.equal((await verify(admin.accessToken)).status, 200, 'nothing was revoked')

    const disabled = await service.admin()
    await patch(disabled.user.id, { disabled: true })
    t.match(await patch(admin.user.id, { role: 'user' }), refused, 'a disabled admin is none')
    t.equal((await patch(disabled.user.id, { role: 'user' })).status, 200)
  })

  t.test('the case of an id does not matter', async t => {
    const person = await service.person()
    t.equal((await patch(person.user.id.toUpperCase(), { role: 'admin' })).status, 200)
    t.match(await ledgerOf(person), [{ kind: 'user', minVersion: 2 }], 'the ledger has it as tokens do')
    t.equal((await verify(person.accessToken)).status, 401)
    t.equal((await service.call(`DELETE /admin/users/${person.user.id.toUpperCase()}/sessions`, present(admin))).status, 204)
    t.match(await refresh(person.refreshToken), { status: 401 })
    const again = await service.logIn(person)
    t.equal((await service.call(`DELETE /admin/users/${person.user.id.toUpperCase()}`, present(admin))).status, 204)
    t.equal((await verify(again.accessToken)).status, 401)
  })

  t.test('demotion takes effect at once', async t => {
    const other = await service.admin()
    t.equal((await patch(other.user.id, { role: 'user' })).status, 200)
    t.equal((await service.call('GET /admin/users', { token: other.accessToken })).status, 401)
    t.equal((await service.call('GET /admin/users', { token: (await refresh(other.refreshToken)).body.accessToken })).status, 403)
  })
})

const ROUNDS = Number(process.env.RACE_ROUNDS ?? 20)

t.test(`of two admins who demote each other in parallel one stays, ${ROUNDS} times`, { ...onPostgres, timeout: 600_000 }, async t => {
  const service = await startService(t)
  const [one, other] = [await service.admin(), await service.admin()]
  for (let round = 0; round < ROUNDS; round++) {
    await service.sql("UPDATE users SET role = 'admin', disabled_at = NULL WHERE id = ANY ($1::uuid[])", [one.user.id, other.user.id])
    const [first, second] = [await service.logIn(one), await service.logIn(other)]
    const change = round % 2 === 0 ? { role: 'user' } : { disabled: true }
    const statuses = await Promise.all([
      service.call(`PATCH /admin/users/${other.user.id}`, present(first, change)),
      service.call(`PATCH /admin/users/${one.user.id}`, present(second, change))
    ]).then(answers => answers.map(({ status }) => status).sort())
    const [row] = await service.sql<{ admins: number }>("SELECT count(*)::int AS admins FROM users WHERE role = 'admin' AND disabled_at IS NULL")
    t.equal(row?.admins, 1)
    t.match(statuses, [200, /^4(01|09)$/])
  }
})

t.test('an admin is not the last one when another becomes one meanwhile', onPostgres, async t => {
  const service = await startService(t)
  const [admin, person] = [await service.admin(), await service.person()]
  // As one who promotes another does: the lock of every admin, then the change.
  const promotion = "WITH locked AS (SELECT id FROM users WHERE id = $1 OR role = 'admin' ORDER BY id FOR UPDATE) UPDATE users SET role = 'admin' FROM locked WHERE users.id = $1"
  t.equal((await commitInFrontOf(service, [promotion, person.user.id], () => service.call(`PATCH /admin/users/${admin.user.id}`, present(admin, { role: 'user' })))).status, 200)
  t.strictSame(await service.sql("SELECT id::text AS id FROM users WHERE role = 'admin'"), [{ id: person.user.id }])
})

function claimsOf (token: string): { iat: number, ver: number } {
  return JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as { iat: number, ver: number }
}
