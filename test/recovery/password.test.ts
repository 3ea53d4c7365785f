import { createHash } from 'node:crypto'
import t from 'tap'
import { onPostgres } from '../support/database.ts'
import { allMailsOf, mailsOf } from '../support/inbox.ts'
import { present } from '../support/presence.ts'
import { startService, type LoginBody, type Person, type TestService } from '../support/service.ts'
import { until } from '../support/until.ts'
import { startSmtp } from '../mail/smtp.ts'

const NEW = 'a staple of nine words'

const forget = ({ call }: TestService, email: string, headers = {}) => call<{ requestId: string, expiresIn: number }>('POST /auth/password/forgot', { json: { email }, headers })
const reset = ({ call }: TestService, json: object) => call('POST /auth/password/reset', { json: { newPassword: NEW, ...json } })
const logInStatus = async ({ call }: TestService, { email }: Pick<Person, 'email'>, password: string) => (await call('POST /auth/login', { json: { email, password } })).status

/** Somebody whose address is verified. */
async function verifiedPerson (service: TestService): Promise<Person> {
  const person = await service.person()
  await service.sql('UPDATE users SET email_verified = true WHERE id = $1::uuid', person.user.id)
  return person
}

/** Asks for a new password, and reads the mail. */
async function mailed (service: TestService, { email }: Pick<Person, 'email'>) {
  const { body: { requestId } } = await forget(service, email)
  const [mail] = await mailsOf(service, email)
  if (mail === undefined) throw new Error('No mail came')
  return { requestId, token: mail.token, code: mail.code }
}

t.test('a mailed link sets a password: every session ends, and it logs nobody in', async t => {
  const service = await startService(t)
  const person = await verifiedPerson(service)
  const other = await service.logIn(person)
  const { token } = await mailed(service, person)
  t.match(token, /^[\w-]{43}$/, '256 bits')

  const { status, text, cookies } = await reset(service, { token })
  t.equal(status, 204)
  t.equal(text, '')
  t.strictSame(cookies, {})
  for (const { accessToken, refreshToken } of [person, other]) {
    t.equal((await service.call('GET /auth/me', { token: accessToken })).status, 401, 'at once')
    t.equal((await service.call('POST /auth/refresh', { json: { refreshToken } })).status, 401)
  }
  t.equal(await logInStatus(service, person, person.password), 401)
  t.equal(await logInStatus(service, person, NEW), 200)

  t.match(await reset(service, { token }), { status: 410, body: { code: 'link_used' } })
  const [notice] = await mailsOf(service, person.email)
  t.equal(notice?.message, 'password_changed')
  t.match(await service.sql("SELECT actor_id::text AS actor, outcome FROM audit_events WHERE action = 'password_reset' ORDER BY id LIMIT 1"), [{ actor: person.user.id, outcome: 'success' }])
  t.notMatch(service.logText(), new RegExp(token))
})

t.test('a mailed code does the same, with the id of its request', async t => {
  const service = await startService(t)
  const person = await verifiedPerson(service)
  const { requestId, code } = await mailed(service, person)
  t.match(code, /^[0-9]{6}$/)
  const other = await forget(service, 'nobody@example.com')
  t.match(await reset(service, { requestId: other.body.requestId, code }), { status: 401, body: { code: 'invalid_code' } }, 'with another id it is nothing')
  t.equal((await reset(service, { requestId, code })).status, 204)
  t.match(await reset(service, { requestId, code }), { status: 401, body: { code: 'invalid_code' } }, 'once')
  t.equal(await logInStatus(service, person, NEW), 200)
})

t.test('whether there is an account does not show: same answer, one statement, and no mail to an address without one', async t => {
  const service = await startService(t)
  const person = await verifiedPerson(service)
  const [known, unknown] = [await forget(service, ` ${person.email.toUpperCase()} `.trim()), await forget(service, 'nobody@example.com')]
  for (const { status, body } of [known, unknown]) {
    t.equal(status, 202)
    t.match(body, { requestId: /^[\w-]{22}$/, expiresIn: 600 })
    t.strictSame(Object.keys(body), ['requestId', 'expiresIn'])
  }
  t.not(known.body.requestId, unknown.body.requestId)
  const different = ['date', 'content-length']
  const headersOf = ({ headers }: typeof known) => Object.fromEntries(Object.entries(headers).filter(([name]) => !different.includes(name)))
  t.strictSame(headersOf(known), headersOf(unknown))
  t.strictSame((await mailsOf(service)).map(({ to }) => to), [person.email])
})

t.test('a request does not read the accounts', async t => {
  const service = await startService(t)
  const person = await verifiedPerson(service)
  const held = service.hold('recovery.find')
  t.equal((await forget(service, person.email)).status, 202, 'it is answered before the account is looked up')
  await held.reached
  held.release()
  t.equal((await mailsOf(service, person.email)).length, 1)
})

t.test('an account that is disabled, or has more rights and an address that it never proved, gets no mail', async t => {
  const service = await startService(t)
  const [disabled, unproved, proved] = [await verifiedPerson(service), await service.admin(), await service.admin()]
  await service.sql('UPDATE users SET disabled_at = now() WHERE id = $1::uuid', disabled.user.id)
  await service.sql('UPDATE users SET email_verified = true WHERE id = $1::uuid', proved.user.id)
  for (const { email } of [disabled, unproved, proved]) t.equal((await forget(service, email)).status, 202)
  t.strictSame((await mailsOf(service)).map(({ to }) => to), [proved.email])

  const { token } = (await mailsOf(service))[0] ?? {}
  await service.sql('UPDATE users SET disabled_at = now() WHERE id = $1::uuid', proved.user.id)
  t.match(await reset(service, { token }), { status: 400, body: { code: 'link_invalid' } }, 'nor does one that was disabled meanwhile')
})

t.test('links that never were, were cut, are for something else, are used, or too old, are told apart', async t => {
  const service = await startService(t)
  const person = await verifiedPerson(service)
  const first = await mailed(service, person)
  for (const token of ['x', first.token.slice(0, -1), `${first.token}a`, first.requestId, '../../etc', '\u0000']) {
    t.match(await reset(service, { token }), { status: 400, body: { code: 'link_invalid' } }, JSON.stringify(token))
  }
  await service.sql("UPDATE one_time_tokens SET purpose = 'invitation'")
  t.match(await reset(service, { token: first.token }), { status: 400, body: { code: 'link_invalid' } })
  await service.sql("UPDATE one_time_tokens SET purpose = 'password_reset', expires_at = now() - interval '23 hours'")
  t.match(await reset(service, { token: first.token }), { status: 410, body: { code: 'link_expired' } })
  t.match(await reset(service, { requestId: first.requestId, code: first.code }), { status: 401, body: { code: 'invalid_code' } })

  const second = await mailed(service, person)
  const third = await mailed(service, person)
  t.match(await reset(service, { token: second.token }), { status: 410, body: { code: 'link_expired' } }, 'a newer one was asked for')
  t.match(await reset(service, { requestId: second.requestId, code: second.code }), { status: 401, body: { code: 'invalid_code' } })
  t.equal((await reset(service, { token: third.token })).status, 204)
  t.match(await reset(service, { token: third.token }), { status: 410, body: { code: 'link_used' } })
  t.match(await reset(service, { token: second.token }), { status: 410, body: { code: 'link_expired' } })
  t.equal(await logInStatus(service, person, NEW), 200)
})

t.test('a link that was mailed to an address is void once the account has another', async t => {
  const service = await startService(t)
  const person = await verifiedPerson(service)
  const { token, requestId, code } = await mailed(service, person)
  await service.sql("UPDATE users SET email = 'grace@example.com' WHERE id = $1::uuid", person.user.id)
  t.match(await reset(service, { token }), { status: 400, body: { code: 'link_invalid' } })
  t.match(await reset(service, { requestId, code }), { status: 401, body: { code: 'invalid_code' } })
})

t.test('a password that is refused uses up neither link nor code, and no try', async t => {
  const service = await startService(t)
  const person = await verifiedPerson(service)
  const { token, requestId, code } = await mailed(service, person)
  for (let time = 0; time < 7; time++) {
    t.match(await reset(service, { requestId, code, newPassword: 'password' }), { status: 422, body: { code: 'weak_password', errors: [{ field: 'newPassword', code: 'too_common' }] } })
    t.match(await reset(service, { token, newPassword: person.email }), { status: 422, body: { code: 'weak_password', errors: [{ code: 'contains_email' }] } })
  }
  t.equal((await reset(service, { requestId, code })).status, 204)
})

t.test('a body shows a token, or a code with the id of its request', async t => {
  const service = await startService(t)
  for (const [json, field] of [[{}, 'token'], [{ code: '042917' }, 'requestId'], [{ requestId: 'x' }, 'code'], [{ token: 'x', code: '042917' }, 'code'], [{ token: 'x', requestId: 'x' }, 'requestId']] as const) {
    t.match(await reset(service, json), { status: 422, body: { code: 'validation_failed', errors: [{ field }] } })
  }
})

t.test('of a hundred guesses at once five count, and then the right code is none any more; the link still is', async t => {
  const service = await startService(t)
  const person = await verifiedPerson(service)
  const { token, requestId, code } = await mailed(service, person)
  const wrong = String((Number(code) + 1) % 1_000_000).padStart(6, '0')
  const answers = await Promise.all(Array.from({ length: 100 }, () => reset(service, { requestId, code: wrong })))
  for (const answer of answers) t.match(answer, { status: 401, body: { code: 'invalid_code' } })
  t.strictSame(await service.sql("SELECT tries FROM one_time_tokens WHERE purpose = 'password_reset'"), [{ tries: 5 }])
  t.match(await reset(service, { requestId, code }), { status: 401, body: { code: 'invalid_code' } })
  t.equal((await reset(service, { token })).status, 204, 'whoever guesses codes takes no link from the owner')
  t.match(await service.sql("SELECT subject_id::text AS subject, detail FROM audit_events WHERE action = 'password_reset' AND outcome = 'failure'"), [{ subject: person.user.id, detail: { code: 'invalid_code' } }])
})

t.test('of the codes of an account thirty guesses count in a day, whatever they are for', async t => {
  const service = await startService(t, { CODE_LOGIN: 'true' })
  const [person, other] = [await verifiedPerson(service), await verifiedPerson(service)]
  const wrongOf = (code: string) => String((Number(code) + 1) % 1_000_000).padStart(6, '0')
  for (let time = 0; time < 3; time++) {
    const { body: { requestId } } = await service.call<{ requestId: string }>('POST /auth/code', { json: { email: person.email } })
    const [mail] = await mailsOf(service, person.email)
    for (let guess = 0; guess < 5; guess++) await service.call('POST /auth/code/login', { json: { requestId, code: wrongOf(mail?.code ?? '') } })
  }
  for (let time = 0; time < 3; time++) {
    const { requestId, code } = await mailed(service, person)
    for (let guess = 0; guess < (time < 2 ? 5 : 4); guess++) await reset(service, { requestId, code: wrongOf(code) })
  }
  const last = await mailed(service, person)
  t.equal((await reset(service, { requestId: last.requestId, code: last.code })).status, 204, 'after 29 a right one is still one')
  const beyond = await mailed(service, person)
  t.equal((await reset(service, { requestId: beyond.requestId, code: wrongOf(beyond.code) })).status, 401)
  t.match(await reset(service, { requestId: beyond.requestId, code: beyond.code }), { status: 401, body: { code: 'invalid_code' } })
  const { requestId, code } = await mailed(service, other)
  t.equal((await reset(service, { requestId, code })).status, 204, 'other accounts go on')
  await service.sql("UPDATE one_time_tokens SET created_at = created_at - interval '1 day' WHERE user_id = $1::uuid AND tries > 0", person.user.id)
  t.equal((await reset(service, { requestId: beyond.requestId, code: beyond.code })).status, 204, 'a day later')
})

t.test('beyond thirty guesses links go on, and whoever uses one has codes again', async t => {
  const service = await startService(t, { CODE_LOGIN: 'true' })
  const person = await verifiedPerson(service)
  const codeOf = async () => {
    const { body: { requestId } } = await service.call<{ requestId: string }>('POST /auth/code', { json: { email: person.email } })
    const [mail] = await mailsOf(service, person.email)
    return { requestId, code: mail?.code ?? '' }
  }
  const logIn = async (proof: object) => (await service.call('POST /auth/code/login', { json: proof })).status
  const guessAll = async () => {
    const { requestId, code } = await mailed(service, person)
    const wrong = String((Number(code) + 1) % 1_000_000).padStart(6, '0')
    for (let guess = 0; guess < 5; guess++) t.equal((await reset(service, { requestId, code: wrong })).status, 401)
    return { requestId, code }
  }
  for (let time = 0; time < 6; time++) await guessAll()
  t.equal(await logIn(await codeOf()), 401, 'the owner is kept out')
  const { token } = await mailed(service, person)
  t.match(await reset(service, { token, newPassword: 'password' }), { status: 422 })
  t.equal(await logIn(await codeOf()), 401, 'a use that is refused proves nothing')
  t.equal((await reset(service, { token })).status, 204)
  t.equal(await logIn(await codeOf()), 200)

  const spent = await guessAll()
  const pending = await codeOf()
  await service.sql('UPDATE users SET email_verified = false WHERE id = $1::uuid', person.user.id)
  await service.call('POST /auth/email/resend', { json: { email: person.email } })
  const verification = (await allMailsOf(service, person.email)).find(({ message }) => message === 'verify_email')
  t.equal((await service.call('POST /auth/email/verify', { json: { token: verification?.token, password: NEW } })).status, 204)
  t.equal((await reset(service, spent)).status, 401, 'no code can be guessed more than five times')
  t.equal(await logIn(pending), 200)
  for (let time = 0; time < 5; time++) await guessAll()
  t.equal(await logIn(await codeOf()), 200)
  await guessAll()
  t.equal(await logIn(await codeOf()), 401, 'thirty, from the last link on')
})

t.test('codes and links that never were leave nothing behind', async t => {
  const service = await startService(t)
  await reset(service, { token: 'never' })
  await reset(service, { requestId: 'never', code: '042917' })
  t.strictSame(await service.sql("SELECT 1 FROM audit_events WHERE action = 'password_reset'"), [])
  t.strictSame(await service.sql('SELECT 1 FROM one_time_tokens'), [])
})

t.test('of fifty uses of a link at once, one sets the password', async t => {
  const service = await startService(t)
  const person = await verifiedPerson(service)
  const { token } = await mailed(service, person)
  const passwords = Array.from({ length: 50 }, (_, index) => `${NEW} ${index}`)
  const answers = await Promise.all(passwords.map(newPassword => reset(service, { token, newPassword })))
  const [won, ...more] = answers.flatMap(({ status }, index) => status === 204 ? [passwords[index] ?? ''] : [])
  t.strictSame(more, [])
  for (const { status, body } of answers.filter(({ status }) => status !== 204)) t.ok((status === 410 && body.code === 'link_used') || (status === 503 && body.code === 'too_busy'), body.code)
  t.match(await reset(service, { token }), { status: 410, body: { code: 'link_used' } })
  t.equal(await logInStatus(service, person, won ?? ''), 200)
  t.match(await service.sql('SELECT version FROM users WHERE id = $1::uuid', person.user.id), [{ version: 2 }])
  t.equal((await service.sql("SELECT 1 FROM audit_events WHERE action = 'password_reset' AND outcome = 'success'")).length, 1)
  t.equal((await mailsOf(service, person.email)).filter(({ message }) => message === 'password_changed').length, 1)
})

t.test('of an address that was never verified nothing else is left on the account, and it is verified', async t => {
  const service = await startService(t)
  const squatter = await service.person()
  const { user: { id } } = squatter
  await service.sql("INSERT INTO identities (id, user_id, provider, issuer, subject) VALUES (gen_random_uuid(), $1::uuid, 'acme', 'https://acme.example', '1')", id)
  await service.sql("INSERT INTO one_time_tokens (hash, purpose, user_id, data, expires_at) VALUES ('\\x01', 'sign_in_code', $1::uuid, '{}', now() + interval '1 day')", id)
  const { token } = await mailed(service, squatter)
  t.equal((await reset(service, { token })).status, 204)

  t.strictSame(await service.sql('SELECT 1 FROM identities'), [])
  t.strictSame(await service.sql('SELECT purpose FROM one_time_tokens'), [{ purpose: 'password_reset' }])
  t.strictSame(await service.sql('SELECT 1 FROM sessions WHERE ended_at IS NULL'), [])
  t.equal((await service.call('GET /auth/me', { token: squatter.accessToken })).status, 401)
  t.equal(await logInStatus(service, squatter, squatter.password), 401)
  const { body } = await service.call<LoginBody>('POST /auth/login', { json: { email: squatter.email, password: NEW } })
  t.match(body.user, { id, emailVerified: true })
  t.match(await reset(service, { token }), { status: 410, body: { code: 'link_used' } })
  t.strictSame((await service.sql<{ action: string }>("SELECT action FROM audit_events WHERE action IN ('account_claim', 'password_reset') AND outcome = 'success' ORDER BY action")).map(({ action }) => action), ['account_claim', 'password_reset'])
})

t.test('a new password takes a deletion back that was scheduled', async t => {
  const service = await startService(t, { ACCOUNT_DELETION_GRACE: '30d' })
  const restored = async ({ user }: Person) => (await service.sql("SELECT 1 FROM audit_events WHERE action = 'account_restore' AND subject_id = $1::uuid", user.id)).length
  for (const person of [await verifiedPerson(service), await service.person()]) {
    t.equal((await service.call('POST /auth/me/delete', present(person))).status, 204)
    t.equal(await logInStatus(service, person, person.password), 403)
    const { token } = await mailed(service, person)
    t.equal((await reset(service, { token })).status, 204)
    t.equal(await logInStatus(service, person, NEW), 200)
    t.equal(await restored(person), 1)
    const again = await mailed(service, person)
    t.equal((await reset(service, { token: again.token })).status, 204)
    t.equal(await restored(person), 1, 'only where there was one')
  }
})

t.test('what a verified owner has set up stays', async t => {
  const service = await startService(t)
  const person = await verifiedPerson(service)
  await service.sql("INSERT INTO identities (id, user_id, provider, issuer, subject) VALUES (gen_random_uuid(), $1::uuid, 'acme', 'https://acme.example', '1')", person.user.id)
  const { token } = await mailed(service, person)
  t.equal((await reset(service, { token })).status, 204)
  t.equal((await service.sql('SELECT 1 FROM identities')).length, 1)
  t.equal((await service.sql("SELECT 1 FROM audit_events WHERE action = 'account_claim'")).length, 0)
})

t.test('a password that is locked by failures is unlocked', async t => {
  const service = await startService(t, { RATE_LIMITS: 'login=off,network=off,success=off,lock=2' })
  const person = await verifiedPerson(service)
  await logInStatus(service, person, 'wrong words indeed')
  t.equal(await logInStatus(service, person, person.password), 429)
  const { token } = await mailed(service, person)
  t.equal((await reset(service, { token })).status, 204)
  t.equal(await logInStatus(service, person, NEW), 200)
})

t.test('beyond the limits the answer is the same, and no mail is sent', async t => {
  const service = await startService(t, { RATE_LIMITS: 'mail=2/15m,address=3/1h' })
  const person = await verifiedPerson(service)
  const from = (address: string) => service.call('POST /auth/password/forgot', { json: { email: person.email }, from: address })
  const answers = [await from('10.0.0.1'), await from('10.0.0.1'), await from('10.0.0.1'), await from('10.0.0.2'), await from('10.0.0.3')]
  for (const { status, body, headers } of answers) {
    t.equal(status, 202)
    t.match(body, { requestId: /^[\w-]{22}$/, expiresIn: 600 })
    t.match(headers, { 'ratelimit-policy': '"mail";q=2;w=900' }, 'of the asker\'s own limit: what others have asked for is nobody\'s business')
    t.equal(headers['retry-after'], undefined)
  }
  t.equal((await mailsOf(service, person.email)).length, 3, 'two from the first network, and one from the second: then the address has had its three')
})

t.test('guesses are limited by network; what was right does not count', async t => {
  const service = await startService(t, { RATE_LIMITS: 'reset=2/10m' })
  const person = await verifiedPerson(service)
  const { token } = await mailed(service, person)
  for (let time = 0; time < 3; time++) t.equal((await reset(service, { token, newPassword: 'password' })).status, 422)
  t.equal((await reset(service, { token })).status, 204)
  t.equal((await reset(service, { token: 'x' })).status, 400)
  t.equal((await reset(service, { token: 'x' })).status, 400)
  t.match(await reset(service, { token: 'x' }), { status: 429, body: { code: 'too_many_requests' }, headers: { 'retry-after': /^[1-9]/ } })
})

t.test('the mail is in the language of the account, and in that of the browser where it has chosen none', async t => {
  const service = await startService(t)
  const person = await verifiedPerson(service)
  await forget(service, person.email, { 'accept-language': 'de-CH, en;q=0.5' })
  t.match((await mailsOf(service, person.email))[0], { subject: /^Wählen Sie/ })
  await service.sql("UPDATE users SET locale = 'fr' WHERE id = $1::uuid", person.user.id)
  await forget(service, person.email, { 'accept-language': 'de' })
  t.match((await mailsOf(service, person.email))[0], { subject: /^Choisissez/ })
})

t.test('a mail that the server does not take at first brings the same link later, and a newer one is not voided by it', async t => {
  const smtp = await startSmtp(t)
  const service = await startService(t, { SMTP_URL: smtp.url, MAIL_FROM: 'no-reply@shop.example' })
  const person = await verifiedPerson(service)
  await until(async () => (await service.sql('SELECT 1 FROM outbox')).length === 0)
  smtp.received.length = 0
  smtp.reached.DATA = 0
  smtp.trouble = { stage: 'DATA', code: 451 }
  await forget(service, person.email)
  await until(() => (smtp.reached.DATA ?? 0) > 0)
  smtp.trouble = undefined
  await forget(service, person.email)
  await until(() => smtp.received.length === 1)
  await service.sql('UPDATE outbox SET due_at = now()')
  await until(async () => (await service.sql('SELECT 1 FROM outbox')).length === 0)
  t.equal(smtp.received.length, 1, 'the older one is void, and not sent any more')
  const token = /token=([\w-]+)/.exec(smtp.received[0]?.mail.text ?? '')?.[1]
  t.equal((await reset(service, { token })).status, 204)
  t.match(smtp.received[0], { to: [person.email], mail: { subject: /^Choose a new password/ } })
})

t.test('links lead to a front end of one\'s own where it is configured', async t => {
  const service = await startService(t, { MAIL_LINKS_URL: 'https://app.example.com/mail/{purpose}#token={token}' })
  const person = await verifiedPerson(service)
  const { token } = await mailed(service, person)
  t.match((await mailsOf(service, person.email))[0]?.text, `https://app.example.com/mail/reset#token=${token}\n`)
  t.equal((await service.call(`GET /account/reset?token=${token}`)).status, 404, 'there is no page of the service then')
  t.equal((await reset(service, { token })).status, 204)
})

t.test('in production without SMTP_URL the routes that need mail do not exist', async t => {
  const service = await startService(t, { NODE_ENV: 'production', ALLOW_EMBEDDED_DATABASE: 'true' })
  for (const target of ['POST /auth/password/forgot', 'POST /auth/password/reset', 'GET /account/reset']) t.equal((await service.call(target, target.startsWith('POST') ? { json: {} } : {})).status, 404, target)
  t.notMatch((await service.call('GET /openapi.json')).text, '/auth/password/forgot')
})

t.test('a link outlives a change of the secret, and so does a code while the old one is listed', async t => {
  const [old, next] = ['AzqLQ3o2vXk9mWc5TnR8yUe1hBd7sJf4', 'kP6xNw0ZgVt3aMqY8rLc2uHi5oSbEj9D']
  const first = await startService(t, { COUNTERSIGN_SECRET: old })
  const person = await verifiedPerson(first)
  const { requestId, code } = await mailed(first, person)
  const [stored] = await first.sql<{ mac: string }>("SELECT encode(code_mac, 'hex') AS mac FROM one_time_tokens WHERE purpose = 'password_reset'")
  const second = await startService(t, { COUNTERSIGN_SECRET: `${next},${old}` })
  const again = await verifiedPerson(second)
  await mailed(second, again)
  await second.sql('UPDATE one_time_tokens SET request_hash = $1::bytea, code_mac = decode($2, \'hex\') WHERE purpose = \'password_reset\'', createHash('sha256').update(requestId).digest(), stored?.mac)
  t.equal((await reset(second, { requestId, code })).status, 204)
})

t.test('a login and a reset at once leave no session that the old password opened', { ...onPostgres }, async t => {
  const service = await startService(t)
  const person = await verifiedPerson(service)
  const { token } = await mailed(service, person)
  await Promise.all([reset(service, { token }), ...Array.from({ length: 10 }, () => service.call('POST /auth/login', { json: { email: person.email, password: person.password } }))])
  t.strictSame(await service.sql('SELECT 1 FROM sessions WHERE ended_at IS NULL'), [])
})
