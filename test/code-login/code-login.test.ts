import t from 'tap'
import { onPostgres } from '../support/database.ts'
import { claimsOf } from '../support/claims-of.ts'
import { mailsOf, standingAlone } from '../support/inbox.ts'
import { startService, type LoginBody, type Person, type TestService } from '../support/service.ts'

interface Asked { requestId: string, expiresIn: number }

const BY_CODE = { CODE_LOGIN: 'true' }

const ask = ({ call }: TestService, email: string, options = {}) => call<Asked>('POST /auth/code', { json: { email }, ...options })
const logIn = ({ call }: TestService, json: object, options = {}) => call<LoginBody & { code: string }>('POST /auth/code/login', { json, ...options })

async function verifiedPerson (service: TestService): Promise<Person> {
  const person = await service.person()
  await service.sql('UPDATE users SET email_verified = true WHERE id = $1::uuid', person.user.id)
  return person
}

/** Asks for a code, and reads the mail. */
async function mailed (service: TestService, { email }: Pick<Person, 'email'>) {
  const { body: { requestId } } = await ask(service, email)
  const [mail] = await mailsOf(service, email)
  if (mail?.message !== 'login_code') throw new Error('No code came')
  return { requestId, code: mail.code, text: mail.text }
}

t.test('a mailed code logs in, once, and leaves the account as it is', async t => {
  const service = await startService(t, BY_CODE)
  const ada = await verifiedPerson(service)
  const { requestId, code, text } = await mailed(service, ada)
  t.notMatch(text, 'http', 'there is no link that logs in')
  const { status, body } = await logIn(service, { requestId, code })
  t.equal(status, 200)
  t.match(body, { user: { id: ada.user.id, emailVerified: true }, tokenType: 'Bearer' })
  t.equal((await service.call('GET /auth/me', { token: body.accessToken })).status, 200)
  t.match(await logIn(service, { requestId, code }), { status: 401, body: { code: 'invalid_code' } })
  t.equal((await service.call('GET /auth/me', { token: ada.accessToken })).status, 200, 'other sessions go on')
  t.equal((await service.call('POST /auth/login', { json: { email: ada.email, password: ada.password } })).status, 200, 'and the password')
  t.match(await service.sql("SELECT outcome FROM audit_events WHERE action = 'login' AND detail->>'method' = 'code'"), [{ outcome: 'success' }])
  t.notMatch(service.logText(), standingAlone(code))
})

t.test('the session comes as it is asked for', async t => {
  const service = await startService(t, BY_CODE)
  const ada = await verifiedPerson(service)
  const { requestId, code } = await mailed(service, ada)
  t.match(await logIn(service, { requestId, code, audience: 'nobody' }), { status: 422, body: { code: 'unknown_audience' } })
  t.match(await logIn(service, { requestId, code: '', audience: 'nobody' }), { status: 422, body: { code: 'validation_failed' } })
  t.match(await logIn(service, { requestId, code, deliver: 'session' }, { headers: { 'sec-fetch-site': 'cross-site' } }), { status: 403 })
  const { status, cookies } = await logIn(service, { requestId, code, deliver: 'session' }, { headers: { 'sec-fetch-site': 'same-origin' } })
  t.equal(status, 200)
  t.hasProp(cookies, 'session')
})

t.test('whether there is an account does not show, and the request reads none', async t => {
  const service = await startService(t, BY_CODE)
  const ada = await verifiedPerson(service)
  const held = service.hold('code-login.find')
  const [known, unknown] = [await ask(service, ada.email), await ask(service, 'nobody@example.com')]
  held.release()
  const shapeOf = ({ status, headers, body }: typeof known) => ({ status, fields: Object.keys(body), life: body.expiresIn, headers: Object.entries(headers).filter(([name]) => name !== 'date') })
  t.strictSame(shapeOf(known), shapeOf(unknown))
  t.strictSame((await mailsOf(service)).map(({ to }) => to), [ada.email])
  t.match(await logIn(service, { requestId: unknown.body.requestId, code: '042917' }), { status: 401, body: { code: 'invalid_code' } })
  t.strictSame(await service.sql("SELECT 1 FROM audit_events WHERE action = 'login' AND outcome = 'failure'"), [], 'what never was leaves nothing behind')
})

t.test('a new device is told of as at a login with a password, and a known one is not', async t => {
  const service = await startService(t, BY_CODE)
  const ada = await verifiedPerson(service)
  const enter = async (options: object) => t.equal((await mailed(service, ada).then(({ requestId, code }) => logIn(service, { requestId, code }, options))).status, 200)
  const told = async () => (await mailsOf(service, ada.email)).filter(({ message }) => message === 'new_device').length
  await enter({})
  t.equal(await told(), 0, 'where the account registered')
  const { device = '' } = await service.cookiesOf(ada)
  await enter({ from: '203.0.113.9', cookies: { device }, headers: { 'sec-fetch-site': 'same-origin' } })
  t.equal(await told(), 0, 'with the cookie of an earlier login')
  await enter({ from: '198.51.100.9' })
  t.equal(await told(), 1)
  await enter({ from: '198.51.100.9' })
  t.equal(await told(), 1, 'from then on its network is known')
})

t.test('on an address that was never verified nothing else is left, and it is verified', async t => {
  const service = await startService(t, BY_CODE)
  const squatter = await service.person()
  const { user: { id } } = squatter
  await service.sql("INSERT INTO identities (id, user_id, provider, issuer, subject) VALUES (gen_random_uuid(), $1::uuid, 'acme', 'https://acme.example', '1')", id)
  const { requestId, code } = await mailed(service, squatter)
  const { status, body } = await logIn(service, { requestId, code })
  t.equal(status, 200)
  t.match(body.user, { id, emailVerified: true })
  t.equal(claimsOf(body.accessToken).email_verified, true)
  t.equal((await service.call('GET /auth/me', { token: body.accessToken })).status, 200, 'the new token is of the new version')
  t.equal((await service.call('GET /auth/me', { token: squatter.accessToken })).status, 401)
  t.equal((await service.call('POST /auth/refresh', { json: { refreshToken: squatter.refreshToken } })).status, 401)
  t.equal((await service.call('POST /auth/login', { json: { email: squatter.email, password: squatter.password } })).status, 401)
  t.strictSame(await service.sql('SELECT 1 FROM identities'), [])
  t.equal((await service.sql("SELECT 1 FROM audit_events WHERE action = 'account_claim'")).length, 1)
})

t.test('no code comes to who is disabled, or has more rights and an address that was never proved', async t => {
  const service = await startService(t, BY_CODE)
  const [disabled, unproved, proved] = [await verifiedPerson(service), await service.admin(), await service.admin()]
  await service.sql('UPDATE users SET disabled_at = now() WHERE id = $1::uuid', disabled.user.id)
  await service.sql('UPDATE users SET email_verified = true WHERE id = $1::uuid', proved.user.id)
  for (const { email } of [disabled, unproved, proved]) t.equal((await ask(service, email)).status, 202)
  const [mail, ...more] = await mailsOf(service)
  t.strictSame([mail?.to, more], [proved.email, []])

  const { requestId, code } = await mailed(service, proved)
  await service.sql('UPDATE users SET disabled_at = now() WHERE id = $1::uuid', proved.user.id)
  t.match(await logIn(service, { requestId, code }), { status: 401, body: { code: 'invalid_code' } })
  await service.sql('UPDATE users SET disabled_at = NULL, email_verified = false WHERE id = $1::uuid', proved.user.id)
  t.match(await logIn(service, { requestId, code }), { status: 401, body: { code: 'invalid_code' } })
})

t.test('a password that failures have locked locks no code, and a code does not unlock it', async t => {
  const service = await startService(t, { ...BY_CODE, RATE_LIMITS: 'login=off,network=off,success=off,code=off,mail=off,address=off,lock=2' })
  const ada = await verifiedPerson(service)
  const byPassword = (password: string) => service.call('POST /auth/login', { json: { email: ada.email, password } })
  await byPassword('a wrong password indeed')
  t.equal((await byPassword(ada.password)).status, 429)
  const { requestId, code } = await mailed(service, ada)
  t.equal((await logIn(service, { requestId, code })).status, 200)
  t.equal((await byPassword(ada.password)).status, 429)
})

t.test('guesses are limited by network, and a right code is none', async t => {
  const service = await startService(t, { ...BY_CODE, RATE_LIMITS: 'code=2/1m,mail=off,address=off' })
  const ada = await verifiedPerson(service)
  for (let time = 0; time < 3; time++) t.equal((await logIn(service, await mailed(service, ada).then(({ requestId, code }) => ({ requestId, code })))).status, 200)
  for (let time = 0; time < 2; time++) t.equal((await logIn(service, { requestId: 'x', code: '042917' })).status, 401)
  t.match(await logIn(service, { requestId: 'x', code: '042917' }), { status: 429, headers: { 'retry-after': /^[1-9]/, 'ratelimit-policy': '"code";q=2;w=60' } })
})

t.test('of a hundred guesses at once, over two instances, five count', { ...onPostgres }, async t => {
  const first = await startService(t, BY_CODE)
  const second = await startService(t, { ...BY_CODE, DATABASE_URL: first.config.databaseUrl ?? '' })
  const ada = await verifiedPerson(first)
  const { requestId, code } = await mailed(first, ada)
  const wrong = String((Number(code) + 1) % 1_000_000).padStart(6, '0')
  const answers = await Promise.all(Array.from({ length: 100 }, (_, index) => logIn(index % 2 ? first : second, { requestId, code: wrong })))
  for (const answer of answers) t.match(answer, { status: 401, body: { code: 'invalid_code' } })
  t.strictSame(await first.sql("SELECT tries FROM one_time_tokens WHERE purpose = 'login_code'"), [{ tries: 5 }])
  t.match(await logIn(second, { requestId, code }), { status: 401, body: { code: 'invalid_code' } })
})

t.test('of twenty logins with a code at once, one succeeds', async t => {
  const service = await startService(t, BY_CODE)
  const { requestId, code } = await mailed(service, await service.person())
  const answers = await Promise.all(Array.from({ length: 20 }, () => logIn(service, { requestId, code })))
  t.equal(answers.filter(({ status }) => status === 200).length, 1)
  t.equal(answers.filter(({ status }) => status === 401).length, 19)
})

t.test('the mail is in the language of the browser', async t => {
  const service = await startService(t, BY_CODE)
  const ada = await verifiedPerson(service)
  for (const language of ['en', 'de', 'fr']) await ask(service, ada.email, { headers: { 'accept-language': language } }).then(() => mailsOf(service))
  t.equal(new Set((await mailsOf(service, ada.email)).map(({ subject }) => subject)).size, 3)
})

t.test('without CODE_LOGIN there are no such routes', async t => {
  const service = await startService(t)
  for (const path of ['/auth/code', '/auth/code/login']) t.equal((await service.call(`POST ${path}`, { json: {} })).status, 404)
})
