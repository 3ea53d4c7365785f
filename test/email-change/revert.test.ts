import t from 'tap'
import { mailsOf } from '../support/inbox.ts'
import { present } from '../support/presence.ts'
import { startService, type LoginBody, type Person, type TestService } from '../support/service.ts'
import { ask, changeAddress, confirm, newAddress, pendingChange, verifiedPerson } from './changes.ts'

const NEW = 'a staple of nine words'

const revert = ({ call }: TestService, token: string) => call('POST /auth/email/revert', { json: { token } })
const logInStatus = async ({ call }: TestService, email: string, password: string) => (await call('POST /auth/login', { json: { email, password } })).status
const link = ({ sql }: TestService, { user }: Person, subject: string) =>
  sql("INSERT INTO identities (id, user_id, provider, issuer, subject) VALUES (gen_random_uuid(), $1::uuid, 'acme', 'https://acme.example', $2)", user.id, subject)
const stateOf = async ({ sql }: TestService, { user }: Person) => (await sql<{ email: string, verified: boolean, hasPassword: boolean, version: number, live: number }>(`
  SELECT email, email_verified AS verified, password_hash IS NOT NULL AS "hasPassword", version, (SELECT count(*)::int FROM sessions WHERE user_id = users.id AND ended_at IS NULL) AS live
  FROM users WHERE id = $1::uuid`, user.id))[0]

t.test('the old address takes the account back: every session ends, and a mail to choose a new password follows', async t => {
  const service = await startService(t)
  const owner = await verifiedPerson(service)
  const { email, revertToken, person: thief } = await changeAddress(service, owner)
  const other = await service.logIn({ email, password: owner.password })

  const { status, text, cookies } = await revert(service, revertToken)
  t.equal(status, 204)
  t.equal(text, '')
  t.strictSame(cookies, {}, 'it logs nobody in')
  t.match(await stateOf(service, owner), { email: owner.email, verified: true, hasPassword: true, version: 3, live: 0 })
  for (const { accessToken, refreshToken } of [thief, other]) {
    t.equal((await service.call('GET /auth/me', { token: accessToken })).status, 401, 'at once')
    t.equal((await service.call('POST /auth/refresh', { json: { refreshToken } })).status, 401)
  }
  t.equal(await logInStatus(service, email, owner.password), 401)
  t.equal(await logInStatus(service, owner.email, owner.password), 200, 'a password from before the change stays')
  t.match(await service.sql('SELECT kind::text AS kind, min_version AS version FROM revocations WHERE user_id = $1::uuid AND min_version = 3', owner.user.id), [{ kind: 'user' }])
  t.match(await service.sql("SELECT outcome FROM audit_events WHERE action = 'email_revert'"), [{ outcome: 'success' }])

  const mails = await mailsOf(service, owner.email)
  t.strictSame(mails.slice(0, 2).map(({ message }) => message).sort(), ['email_reverted', 'password_reset'])
  const reset = mails.find(({ message }) => message === 'password_reset')
  t.equal(reset?.code, '', 'a link alone: nobody got the id of a request, and a code would be of no use')
  t.notMatch(reset?.text, /code/i)
  t.strictSame(await service.sql("SELECT code_mac, request_hash FROM one_time_tokens WHERE purpose = 'password_reset'"), [{ code_mac: null, request_hash: null }])
  t.equal((await service.call('POST /auth/password/reset', { json: { token: reset?.token, newPassword: NEW } })).status, 204)
  t.equal(await logInStatus(service, owner.email, NEW), 200)
  t.match(await revert(service, revertToken), { status: 410, body: { code: 'link_used' } })
  t.notMatch(service.logText(), new RegExp(revertToken))
})

t.test('the address that is given up is told, unless the notice is off', async t => {
  for (const [settings, told] of [[{}, ['address_removed']], [{ MAIL_NOTICES: 'password_changed' }, []]] as const) {
    await t.test(JSON.stringify(settings), async t => {
      const service = await startService(t, settings)
      const owner = await verifiedPerson(service)
      const { email, revertToken } = await changeAddress(service, owner)
      const before = (await mailsOf(service, email)).length
      t.equal((await revert(service, revertToken)).status, 204)
      const mails = await mailsOf(service, email)
      t.strictSame(mails.slice(0, mails.length - before).map(({ message, token, code }) => ({ message, token, code })), told.map(message => ({ message, token: '', code: '' })))
    })
  }
})

t.test('what was added since is removed, and what was there before stays', async t => {
  const service = await startService(t)
  const owner = await verifiedPerson(service)
  await link(service, owner, 'before')
  const { revertToken, person: thief } = await changeAddress(service, owner)
  await link(service, owner, 'since')
  const { status } = await service.call('POST /auth/password', present(thief, { currentPassword: owner.password, newPassword: NEW }))
  t.equal(status, 200)
  const pending = await pendingChange(service, await service.logIn({ email: (await stateOf(service, owner))?.email ?? '', password: NEW }))
  await service.sql("INSERT INTO one_time_tokens (hash, purpose, user_id, data, expires_at) VALUES ('\\x01', 'sign_in_code', $1::uuid, '{}', now() + interval '1 day')", owner.user.id)

  t.equal((await revert(service, revertToken)).status, 204)
  t.match(await stateOf(service, owner), { email: owner.email, hasPassword: false, live: 0 })
  t.strictSame(await service.sql('SELECT subject FROM identities'), [{ subject: 'before' }])
  t.equal(await logInStatus(service, owner.email, NEW), 401)
  t.equal(await logInStatus(service, owner.email, owner.password), 401, 'the password of before does not come back: whoever changed it knew it')
  t.match(await confirm(service, { token: pending.token, password: NEW }), { status: 400, body: { code: 'link_invalid' } })
  t.strictSame(await service.sql("SELECT 1 FROM one_time_tokens WHERE purpose = 'sign_in_code'"), [])
})

t.test('a password of an account that had none, and an identity linked while the change was pending, are removed', async t => {
  const service = await startService(t)
  const owner = await verifiedPerson(service)
  await service.sql('UPDATE users SET password_hash = NULL WHERE id = $1::uuid', owner.user.id)
  const { token } = await pendingChange(service, owner)
  await link(service, owner, 'pending')
  t.equal((await confirm(service, { token }, { token: owner.accessToken })).status, 204)
  const { body } = await service.call<LoginBody>('POST /auth/refresh', { json: { refreshToken: owner.refreshToken } })
  t.equal((await service.call('POST /auth/password', present(body, { newPassword: NEW }))).status, 200)
  const revertToken = (await mailsOf(service, owner.email)).find(({ message }) => message === 'email_changed')?.token ?? ''
  t.equal((await revert(service, revertToken)).status, 204)
  t.match(await stateOf(service, owner), { hasPassword: false })
  t.strictSame(await service.sql('SELECT 1 FROM identities'), [])
})

t.test('after two changes the first address still takes the account back, and the link of the second is void', async t => {
  const service = await startService(t)
  const owner = await verifiedPerson(service)
  const first = await changeAddress(service, owner)
  const second = await changeAddress(service, first.person)
  t.match(await stateOf(service, owner), { email: second.email })
  t.strictSame((await service.sql<{ email: string }>('SELECT email FROM email_holds ORDER BY email')).map(({ email }) => email), [owner.email, first.email].sort())

  t.equal((await revert(service, first.revertToken)).status, 204)
  t.match(await stateOf(service, owner), { email: owner.email, live: 0 })
  t.match(await revert(service, second.revertToken), { status: 410, body: { code: 'link_expired' } })
  t.match(await stateOf(service, owner), { email: owner.email })
  t.strictSame(await service.sql('SELECT 1 FROM email_holds'), [], 'nobody comes back to the others any more')
  for (const email of [first.email, second.email]) t.equal((await service.call('POST /auth/register', { json: { email, password: owner.password } })).status, 201)
})

t.test('the second address takes the account back too, and the first still can', async t => {
  const service = await startService(t)
  const owner = await verifiedPerson(service)
  const first = await changeAddress(service, owner)
  const second = await changeAddress(service, first.person)
  t.equal((await revert(service, second.revertToken)).status, 204)
  t.match(await stateOf(service, owner), { email: first.email })
  t.match(await service.call('POST /auth/register', { json: { email: owner.email, password: owner.password } }), { status: 409, body: { code: 'email_taken' } })
  t.equal((await revert(service, first.revertToken)).status, 204)
  t.match(await stateOf(service, owner), { email: owner.email })
})

t.test('a disabled account is not taken back before it is enabled; a deleted one never', async t => {
  const service = await startService(t)
  const owner = await verifiedPerson(service)
  const { email, revertToken } = await changeAddress(service, owner)
  await service.sql('UPDATE users SET disabled_at = now() WHERE id = $1::uuid', owner.user.id)
  t.match(await revert(service, revertToken), { status: 403, body: { code: 'account_disabled' } })
  t.match(await stateOf(service, owner), { email })
  await service.sql('UPDATE users SET disabled_at = NULL WHERE id = $1::uuid', owner.user.id)
  t.equal((await revert(service, revertToken)).status, 204, 'the link was not used up')

  const gone = await verifiedPerson(service)
  const changed = await changeAddress(service, gone)
  t.equal((await service.call('POST /auth/me/delete', present(changed.person))).status, 204)
  t.match(await revert(service, changed.revertToken), { status: 400, body: { code: 'link_invalid' } })
  t.strictSame(await service.sql('SELECT 1 FROM email_holds WHERE user_id = $1::uuid', gone.user.id), [])
  t.equal((await service.call('POST /auth/register', { json: { email: gone.email, password: gone.password } })).status, 201, 'its former address is free')
})

t.test('an old address that another account has by then is refused, and nothing changes', async t => {
  const service = await startService(t)
  const owner = await verifiedPerson(service)
  const { email, revertToken } = await changeAddress(service, owner)
  // It is held for as long as the link is good: this does not happen unless somebody deletes the hold.
  await service.sql('DELETE FROM email_holds')
  t.equal((await service.call('POST /auth/register', { json: { email: owner.email, password: owner.password } })).status, 201)
  t.match(await revert(service, revertToken), { status: 409, body: { code: 'email_taken' } })
  t.match(await stateOf(service, owner), { email, live: 1 })
  await service.sql('DELETE FROM users WHERE email = $1', owner.email)
  const squatter = await verifiedPerson(service)
  await service.sql("INSERT INTO email_holds (email, user_id, until) VALUES ($1, $2::uuid, now() + interval '1 day')", owner.email, squatter.user.id)
  t.match(await revert(service, revertToken), { status: 409, body: { code: 'email_taken' } }, 'or holds')
  await service.sql('DELETE FROM users WHERE id = $1::uuid', squatter.user.id)
  t.equal((await revert(service, revertToken)).status, 204)
})

t.test('links that never were, were cut, or are too old, change nothing', async t => {
  const service = await startService(t)
  const owner = await verifiedPerson(service)
  const { email, revertToken } = await changeAddress(service, owner)
  for (const token of ['x', revertToken.slice(1), `${revertToken}a`, '\u0000']) t.match(await revert(service, token), { status: 400, body: { code: 'link_invalid' } }, JSON.stringify(token))
  t.match(await service.call('POST /auth/password/reset', { json: { token: revertToken, newPassword: NEW } }), { status: 400, body: { code: 'link_invalid' } })
  t.match(await service.sql("SELECT expires_at - now() > interval '6 days 23 hours' AND expires_at - now() <= interval '7 days' AS week FROM one_time_tokens WHERE purpose = 'email_revert'"), [{ week: true }])
  await service.sql("UPDATE one_time_tokens SET expires_at = now() - interval '1 minute'")
  t.match(await revert(service, revertToken), { status: 410, body: { code: 'link_expired' } })
  t.match(await stateOf(service, owner), { email })
})

t.test('of twenty uses of a link at once one takes the account back', async t => {
  const service = await startService(t)
  const owner = await verifiedPerson(service)
  const { revertToken } = await changeAddress(service, owner)
  const answers = await Promise.all(Array.from({ length: 20 }, () => revert(service, revertToken)))
  t.strictSame(answers.map(({ status }) => status).sort(), [204, ...Array.from({ length: 19 }, () => 410)])
  t.match(await stateOf(service, owner), { version: 3 })
  t.equal((await mailsOf(service, owner.email)).filter(({ message }) => message === 'email_reverted').length, 1)
})

t.test('a change back to the old address by its owner is no conflict with what is held', async t => {
  const service = await startService(t)
  const owner = await verifiedPerson(service)
  const { person } = await changeAddress(service, owner)
  const back = await changeAddress(service, person, owner.email)
  t.match(await stateOf(service, owner), { email: owner.email })
  t.equal((await ask(service, back.person, newAddress())).status, 202)
})
