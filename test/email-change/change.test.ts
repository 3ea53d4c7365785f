import t from 'tap'
import { mailsOf } from '../support/inbox.ts'
import { age, present } from '../support/presence.ts'
import { startService, type Call, type LoginBody, type Person, type TestService } from '../support/service.ts'
import { ask, confirm, newAddress, pendingChange, verifiedPerson } from './changes.ts'

const statusOf = async ({ call }: TestService, token: string) => (await call('GET /auth/me', { token })).status
const refresh = ({ call }: TestService, { refreshToken }: Pick<LoginBody, 'refreshToken'>) => call<LoginBody>('POST /auth/refresh', { json: { refreshToken } })
const logInStatus = async ({ call }: TestService, email: string, { password }: Pick<Person, 'password'>) => (await call('POST /auth/login', { json: { email, password } })).status
const addressOf = async ({ sql }: TestService, { user }: Person) => (await sql<{ email: string }>('SELECT email FROM users WHERE id = $1::uuid', user.id))[0]?.email

t.test('a confirmed address replaces the old one: other sessions end, and the one that asked learns it at its next refresh', async t => {
  const service = await startService(t)
  const person = await verifiedPerson(service)
  const other = await service.logIn(person)
  const email = newAddress()
  const { status, body } = await ask(service, person, email)
  t.equal(status, 202)
  t.match(body, { requestId: /^[\w-]{22}$/, expiresIn: 600 })
  t.equal(await addressOf(service, person), person.email, 'nothing changes before it is confirmed')
  const [mail] = await mailsOf(service, email)
  t.equal(mail?.message, 'email_change')
  t.match(mail?.token, /^[\w-]{43}$/)

  const confirmed = await confirm(service, { requestId: body.requestId, code: mail?.code }, { token: person.accessToken })
  t.equal(confirmed.status, 204)
  t.equal(confirmed.text, '')
  t.strictSame(confirmed.cookies, {})
  for (const { accessToken } of [person, other]) t.equal(await statusOf(service, accessToken), 401, 'tokens have the address in them')
  t.equal((await refresh(service, other)).status, 401)
  const refreshed = await refresh(service, person)
  t.equal(refreshed.status, 200)
  t.match((await service.call('GET /auth/me', { token: refreshed.body.accessToken })).body, { id: person.user.id, email, emailVerified: true })
  t.equal(await logInStatus(service, person.email, person), 401)
  t.equal(await logInStatus(service, email, person), 200)
  t.match(await service.sql('SELECT version FROM users'), [{ version: 2 }])
  t.match(await service.sql('SELECT kind::text AS kind FROM revocations WHERE user_id = $1::uuid ORDER BY kind::text', person.user.id), [{ kind: 'session' }, { kind: 'user' }])

  const old = (await mailsOf(service, person.email)).map(({ message }) => message)
  t.strictSame(old, ['email_changed', 'email_change_asked'])
  t.strictSame((await mailsOf(service, email)).map(({ message }) => message), ['address_changed', 'email_change'])
  t.match((await mailsOf(service, person.email))[0]?.text, new RegExp(`${email}[^]*/account/email/revert\\?token=[\\w-]{43}[^]*7 days`))
  t.match(await service.sql("SELECT actor_id::text AS actor, outcome FROM audit_events WHERE action = 'email_change'"), [{ actor: person.user.id, outcome: 'success' }])
  t.notMatch(service.logText(), new RegExp(mail?.token ?? 'nothing'))
})

t.test('a link does the same with the password, in any browser', async t => {
  const service = await startService(t)
  const person = await verifiedPerson(service)
  const { token, email } = await pendingChange(service, person)
  t.match(await confirm(service, { token }), { status: 401, body: { code: 'unauthenticated' } })
  t.match(await confirm(service, { token, password: 'something else' }), { status: 401, body: { code: 'invalid_credentials' } })
  t.equal(await addressOf(service, person), person.email)
  t.equal((await confirm(service, { token, password: person.password })).status, 204)
  t.equal(await addressOf(service, person), email)
  t.equal((await refresh(service, person)).status, 200, 'the session that asked lives on')
  t.match(await confirm(service, { token, password: person.password }), { status: 410, body: { code: 'link_used' } })
  t.match(await service.sql("SELECT detail FROM audit_events WHERE action = 'email_change' AND outcome = 'failure' ORDER BY id LIMIT 1"), [{ detail: { code: 'invalid_credentials' } }])
})

t.test('another session of the account is not the one that asked, and needs the password', async t => {
  const service = await startService(t)
  const person = await verifiedPerson(service)
  const other = await service.logIn(person)
  const { token, email } = await pendingChange(service, person)
  t.match(await confirm(service, { token }, { token: other.accessToken }), { status: 403, body: { code: 'different_session' } })
  t.match(await confirm(service, { token }, { token: 'x' }), { status: 401, body: { code: 'invalid_token' } })
  await service.call('POST /auth/logout', { token: person.accessToken })
  t.match(await confirm(service, { token }, { token: person.accessToken }), { status: 401, body: { code: 'invalid_token' } }, 'nor is one that has ended')
  t.equal((await confirm(service, { token, password: person.password }, { token: other.accessToken })).status, 204)
  t.equal(await addressOf(service, person), email)
})

t.test('cookies and the refresh token show the session that asked too', async t => {
  const service = await startService(t)
  const person = await verifiedPerson(service)
  for (const deliver of ['cookie', 'session']) {
    const { email = '' } = { email: await addressOf(service, person) }
    const { cookies: set } = await service.call('POST /auth/login', { json: { email, password: person.password, deliver }, headers: { 'sec-fetch-site': 'same-origin' } })
    const cookies = Object.fromEntries(Object.entries(set).map(([name, { value }]) => [name, value]))
    const headers = { 'sec-fetch-site': 'same-origin' }
    const next = newAddress()
    t.equal((await service.call('POST /auth/email/change', { json: { email: next }, cookies, headers })).status, 202, deliver)
    const token = (await mailsOf(service, next))[0]?.token
    t.equal((await service.call('POST /auth/email/change/confirm', { json: { token }, cookies, headers })).status, 204, deliver)
    t.equal(await addressOf(service, person), next)
  }
  const again = await service.logIn({ email: await addressOf(service, person) ?? '', password: person.password })
  const { token, email } = await pendingChange(service, again)
  t.equal((await confirm(service, { token, refreshToken: again.refreshToken })).status, 204)
  t.equal(await addressOf(service, person), email)
})

t.test('asking needs presence, and another address than the present one', async t => {
  const service = await startService(t)
  const person = await verifiedPerson(service)
  const email = newAddress()
  t.match(await service.call('POST /auth/email/change', { json: { email } }), { status: 401, body: { code: 'unauthenticated' } })
  t.match(await service.call('POST /auth/email/change', { json: { email }, token: person.accessToken }), { status: 401, body: { code: 'insufficient_user_authentication' } })
  t.match(await ask(service, person, person.email.toUpperCase()), { status: 422, body: { code: 'validation_failed', errors: [{ field: 'email' }] } })
  await age(service, person.user.id)
  t.match(await ask(service, person, email), { status: 401, body: { code: 'insufficient_user_authentication', maxAge: 300 } })
  t.strictSame(await mailsOf(service), [])
  t.strictSame(await service.sql('SELECT 1 FROM email_holds'), [])
})

t.test('whether an address is taken shows in nothing that the asker gets: its owner is told, and so is the old address', async t => {
  const service = await startService(t)
  const [person, owner] = [await verifiedPerson(service), await verifiedPerson(service)]
  const free = newAddress()
  const answers = [await ask(service, person, free), await ask(service, person, owner.email)]
  for (const { status, body } of answers) {
    t.equal(status, 202)
    t.strictSame(Object.keys(body), ['requestId', 'expiresIn'])
  }
  t.strictSame((await mailsOf(service, owner.email)).map(({ message, token, code }) => ({ message, token, code })), [{ message: 'existing_account', token: '', code: '' }])
  t.strictSame((await mailsOf(service, person.email)).map(({ message }) => message), ['email_change_asked', 'email_change_asked'])
  t.strictSame((await service.sql("SELECT purpose FROM one_time_tokens WHERE user_id IS NOT NULL AND purpose <> 'email_verification'")), [{ purpose: 'email_change' }], 'of the free address')
})

t.test('a request does not look for the new address', async t => {
  const service = await startService(t)
  const person = await verifiedPerson(service)
  const held = service.hold('email-change.find-destination')
  t.equal((await ask(service, person, newAddress())).status, 202)
  await held.reached
  held.release()
})

t.test('an address that is taken between asking and confirming is refused, and the link is still good', async t => {
  const service = await startService(t)
  const person = await verifiedPerson(service)
  const { token, email } = await pendingChange(service, person)
  await service.call('POST /auth/register', { json: { email, password: person.password } })
  t.match(await confirm(service, { token }, { token: person.accessToken }), { status: 409, body: { code: 'email_taken' } })
  t.equal(await addressOf(service, person), person.email)
  t.equal(await statusOf(service, person.accessToken), 200)
  await service.sql('DELETE FROM users WHERE email = $1', email)
  t.equal((await confirm(service, { token }, { token: person.accessToken })).status, 204)
})

t.test('an old address that was never verified is told nothing, not held, and gets no way back', async t => {
  const service = await startService(t)
  const person = await service.person()
  const { token, email } = await pendingChange(service, person)
  t.equal((await confirm(service, { token }, { token: person.accessToken })).status, 204)
  t.strictSame(await mailsOf(service, person.email), [])
  t.strictSame(await service.sql('SELECT 1 FROM email_holds'), [])
  t.strictSame(await service.sql("SELECT 1 FROM one_time_tokens WHERE purpose = 'email_revert'"), [])
  t.equal((await service.call('POST /auth/register', { json: { email: person.email, password: person.password } })).status, 201)
  t.match(await service.sql('SELECT email_verified AS verified FROM users WHERE email = $1', email), [{ verified: true }])
})

t.test('links and codes that were mailed to the old address are void, and identities stay', async t => {
  const service = await startService(t)
  const person = await verifiedPerson(service)
  await service.sql("INSERT INTO identities (id, user_id, provider, issuer, subject) VALUES (gen_random_uuid(), $1::uuid, 'acme', 'https://acme.example', '1')", person.user.id)
  const { body: { requestId } } = await service.call<{ requestId: string }>('POST /auth/password/forgot', { json: { email: person.email } })
  const [reset] = await mailsOf(service, person.email)
  const { token } = await pendingChange(service, person)
  t.equal((await confirm(service, { token }, { token: person.accessToken })).status, 204)
  t.match(await service.call('POST /auth/password/reset', { json: { token: reset?.token, newPassword: 'a staple of nine words' } }), { status: 410, body: { code: 'link_expired' } })
  t.match(await service.call('POST /auth/password/reset', { json: { requestId, code: reset?.code, newPassword: 'a staple of nine words' } }), { status: 401, body: { code: 'invalid_code' } })
  await service.call('POST /auth/password/forgot', { json: { email: person.email } })
  t.equal((await mailsOf(service, person.email)).filter(({ message }) => message === 'password_reset').length, 1, 'nor is a new one mailed there')
  t.equal((await service.sql('SELECT 1 FROM identities')).length, 1)
})

t.test('links that never were, were cut, are for something else, of another person, used, or too old, change nothing', async t => {
  const service = await startService(t)
  const [person, other] = [await verifiedPerson(service), await verifiedPerson(service)]
  const first = await pendingChange(service, person)
  const session = { token: person.accessToken }
  for (const token of ['x', first.token.slice(0, -1), `${first.token}a`, first.requestId, '\u0000']) {
    t.match(await confirm(service, { token }, session), { status: 400, body: { code: 'link_invalid' } }, JSON.stringify(token))
  }
  t.match(await confirm(service, { token: first.token }, { token: other.accessToken }), { status: 403, body: { code: 'different_session' } })
  t.match(await confirm(service, { token: first.token, password: 'not the password' }, { token: other.accessToken }), { status: 401, body: { code: 'invalid_credentials' } })
  for (const purpose of ['password_reset', 'email_revert', 'invitation']) {
    await service.sql('UPDATE one_time_tokens SET purpose = $1', purpose)
    t.match(await confirm(service, { token: first.token }, session), { status: 400, body: { code: 'link_invalid' } }, purpose)
    t.match(await service.call('POST /auth/email/revert', { json: { token: first.token } }), { status: 400, body: { code: 'link_invalid' } }, purpose)
  }
  await service.sql("UPDATE one_time_tokens SET purpose = 'email_change'")
  t.match(await service.call('POST /auth/password/reset', { json: { token: first.token, newPassword: 'a staple of nine words' } }), { status: 400, body: { code: 'link_invalid' } })

  const second = await pendingChange(service, person)
  t.match(await confirm(service, { token: first.token }, session), { status: 410, body: { code: 'link_expired' } }, 'a newer one was asked for')
  t.match(await confirm(service, { requestId: first.requestId, code: first.code }, session), { status: 401, body: { code: 'invalid_code' } })
  t.match(await confirm(service, { requestId: first.requestId, code: second.code }, session), { status: 401, body: { code: 'invalid_code' } })
  await service.sql("UPDATE one_time_tokens SET expires_at = now() - interval '1 minute'")
  t.match(await confirm(service, { token: second.token }, session), { status: 410, body: { code: 'link_expired' } })
  t.equal(await addressOf(service, person), person.email)
})

t.test('a link is void once the account has another address, is disabled, or gone', async t => {
  const service = await startService(t)
  const person = await verifiedPerson(service)
  const { token } = await pendingChange(service, person)
  await service.sql("UPDATE users SET email = 'grace@example.com' WHERE id = $1::uuid", person.user.id)
  t.match(await confirm(service, { token }, { token: person.accessToken }), { status: 400, body: { code: 'link_invalid' } })
  await service.sql('UPDATE users SET email = $1, disabled_at = now() WHERE id = $2::uuid', person.email, person.user.id)
  t.match(await confirm(service, { token }, { token: person.accessToken }), { status: 400, body: { code: 'link_invalid' } })
  t.match(await confirm(service, { token, password: person.password }), { status: 401 })
  await service.sql('DELETE FROM users')
  t.match(await confirm(service, { token, password: person.password }), { status: 400, body: { code: 'link_invalid' } })
  t.strictSame(await service.sql('SELECT 1 FROM email_holds'), [], 'what a deleted account held is free')
})

t.test('an account that is to be deleted neither asks for another address nor gets one', async t => {
  const service = await startService(t, { ACCOUNT_DELETION_GRACE: '30d' })
  const person = await verifiedPerson(service)
  const { token, requestId, code } = await pendingChange(service, person)
  const held = service.hold('email-change.begin')
  const asking = ask(service, person, newAddress())
  await held.reached
  t.equal((await service.call('POST /auth/me/delete', present(person))).status, 204)
  held.release()
  t.match(await asking, { status: 401, body: { code: 'invalid_token' } })
  t.match(await confirm(service, { token, password: person.password }), { status: 400, body: { code: 'link_invalid' } })
  t.match(await confirm(service, { requestId, code, password: person.password }), { status: 401, body: { code: 'invalid_code' } })
  t.equal(await addressOf(service, person), person.email)
})

t.test('of fifty confirmations at once one changes the address, and the others learn that the link was used', async t => {
  const service = await startService(t)
  for (const [how, shows] of Object.entries({
    'a refresh token': (person: Person) => ({ json: { refreshToken: person.refreshToken } }),
    'an access token': (person: Person) => ({ token: person.accessToken }),
    'the password': (person: Person) => ({ json: { password: person.password } })
  })) {
    const person = await verifiedPerson(service)
    const { token, email } = await pendingChange(service, person)
    const { json, ...more }: Call & { json?: object } = shows(person)
    const answers = await Promise.all(Array.from({ length: 50 }, () => confirm(service, { token, ...json }, more)))
    t.equal(answers.filter(({ status }) => status === 204).length, 1, how)
    for (const { status, body } of answers.filter(({ status }) => status !== 204)) t.ok((status === 410 && body.code === 'link_used') || (status === 503 && body.code === 'too_busy'), `${how}: ${status} ${body.code}`)
    t.equal(await addressOf(service, person), email)
    t.match(await service.sql('SELECT version FROM users WHERE id = $1::uuid', person.user.id), [{ version: 2 }])
    t.equal((await mailsOf(service, person.email)).filter(({ message }) => message === 'email_changed').length, 1)
  }
})

t.test('guesses are limited: codes by their network and five times each, passwords as those at login', async t => {
  const service = await startService(t, { RATE_LIMITS: 'code=6/10m,login=2/10m,mail=off,address=off,network=off,register=off' })
  const person = await verifiedPerson(service)
  const { token, requestId } = await pendingChange(service, person)
  for (let time = 0; time < 2; time++) t.equal((await confirm(service, { token, password: 'something else' })).status, 401)
  t.match(await confirm(service, { token, password: person.password }), { status: 429, body: { code: 'too_many_requests' } })
  for (let time = 0; time < 4; time++) t.match(await confirm(service, { requestId, code: 'wrong' }, { token: person.accessToken }), { status: 401, body: { code: 'invalid_code' } })
  t.match(await confirm(service, { requestId, code: 'wrong' }, { token: person.accessToken }), { status: 429, headers: { 'retry-after': /^[1-9]/ } })
})

t.test('beyond the limits of the address, or of the account, the answer is the same and nothing is sent', async t => {
  const service = await startService(t, { RATE_LIMITS: 'mail=2/15m' })
  const person = await verifiedPerson(service)
  const asked = [newAddress(), newAddress(), newAddress()]
  for (const email of asked) {
    const { status, body, headers } = await ask(service, person, email)
    t.equal(status, 202)
    t.match(body, { requestId: /^[\w-]{22}$/, expiresIn: 600 })
    t.equal(headers['retry-after'], undefined)
  }
  t.strictSame((await mailsOf(service)).filter(({ message }) => message === 'email_change').map(({ to }) => to).sort(), asked.slice(0, 2).sort(), 'whatever the addresses are')
  t.equal((await mailsOf(service, person.email)).length, 2)
})

t.test('in production without SMTP_URL the routes do not exist', async t => {
  const service = await startService(t, { NODE_ENV: 'production', ALLOW_EMBEDDED_DATABASE: 'true' })
  for (const path of ['/auth/email/change', '/auth/email/change/confirm', '/auth/email/revert']) t.equal((await service.call(`POST ${path}`, { json: {} })).status, 404, path)
})

t.test('presence may be shown with a refresh token in the body', async t => {
  const service = await startService(t)
  const person = await service.person()
  t.equal((await service.call('POST /auth/email/change', present(person, { email: newAddress() }))).status, 202)
})
