import t from 'tap'
import { claimsOf } from '../support/claims-of.ts'
import { allMailsOf, mailsOf, standingAlone } from '../support/inbox.ts'
import { PASSWORD, startService, type LoginBody, type Settings, type TestService } from '../support/service.ts'

const ADA = 'ada@example.com'
const VERIFIED: Settings = { REQUIRE_VERIFIED_EMAIL: 'true' }

interface Asked { requestId: string, expiresIn: number }

const register = ({ call }: TestService, json: object = {}, options = {}) => call<Asked>('POST /auth/register', { json: { email: ADA, password: PASSWORD, name: 'Ada', ...json }, ...options })
const confirm = ({ call }: TestService, json: object, options = {}) => call<LoginBody & { code: string }>('POST /auth/register/confirm', { json, ...options })
const accounts = (service: TestService) => service.sql<{ email: string }>('SELECT email, email_verified AS "isVerified", name FROM users ORDER BY email')

/** Registers, and reads the mail. */
async function mailed (service: TestService, json: { email?: string, password?: string } = {}) {
  const { body: { requestId } } = await register(service, json)
  const [mail] = await mailsOf(service, json.email ?? ADA)
  if (mail === undefined) throw new Error('No mail came')
  return { ...mail, requestId }
}

t.test('an account is made by the mailed code, verified, and is logged in', async t => {
  const service = await startService(t, VERIFIED)
  const { requestId, code, message } = await mailed(service)
  t.equal(message, 'register_code')
  t.strictSame(await accounts(service), [], 'there is no account before')
  t.equal((await service.call('POST /auth/login', { json: { email: ADA, password: PASSWORD } })).status, 401)

  const { status, body } = await confirm(service, { requestId, code })
  t.equal(status, 201)
  t.match(body, { user: { email: ADA, emailVerified: true, name: 'Ada', role: 'user' }, tokenType: 'Bearer' })
  t.equal(claimsOf(body.accessToken).email_verified, true)
  t.equal((await service.call('GET /auth/me', { token: body.accessToken })).status, 200)
  t.equal((await service.call('POST /auth/login', { json: { email: ADA, password: PASSWORD } })).status, 200)
  t.match(await confirm(service, { requestId, code }), { status: 401, body: { code: 'invalid_code' } }, 'once')
  t.match(await service.sql("SELECT action, outcome FROM audit_events WHERE action = 'register'"), [{ outcome: 'success' }])
})

t.test('a link makes the account only with the password that was chosen', async t => {
  const service = await startService(t, VERIFIED)
  const { token } = await mailed(service)
  t.match(await confirm(service, { token }), { status: 422, body: { code: 'validation_failed', errors: [{ field: 'password' }] } })
  t.match(await confirm(service, { token, password: 'another password entirely' }), { status: 401, body: { code: 'invalid_credentials' } })
  t.strictSame(await accounts(service), [])
  t.equal((await confirm(service, { token, password: PASSWORD })).status, 201)
  t.match(await confirm(service, { token, password: PASSWORD }), { status: 410, body: { code: 'link_used' } })
})

t.test('what a stranger registered with the address is not activated by its owner, nor is the owner kept out', async t => {
  const service = await startService(t, VERIFIED)
  const stranger = await mailed(service, { password: 'a password of the stranger' })
  const owner = await mailed(service)
  t.match(await confirm(service, { requestId: owner.requestId, code: stranger.code === owner.code ? '000000' : stranger.code }), { status: 401 }, 'a code belongs to its request')
  t.match(await confirm(service, { token: stranger.token, password: PASSWORD }), { status: 401, body: { code: 'invalid_credentials' } })
  t.equal((await confirm(service, { requestId: owner.requestId, code: owner.code })).status, 201)
  t.match(await confirm(service, { requestId: stranger.requestId, code: stranger.code }), { status: 409, body: { code: 'email_taken' } })
  t.equal((await service.call('POST /auth/login', { json: { email: ADA, password: 'a password of the stranger' } })).status, 401)
})

t.test('an address that has an account gets the same answer, and a notice', async t => {
  const service = await startService(t, VERIFIED)
  const first = await mailed(service)
  await confirm(service, { requestId: first.requestId, code: first.code })
  const [taken, free] = [await register(service, { email: 'ADA@Example.com' }), await register(service, { email: 'grace@example.com' })]
  const shapeOf = ({ status, headers, body }: typeof taken) => ({ status, body: Object.keys(body), expiresIn: body.expiresIn, headers: Object.entries(headers).filter(([name]) => name !== 'date') })
  t.strictSame(shapeOf(taken), shapeOf(free))
  t.match(taken, { status: 202, body: { requestId: /^[\w-]{22}$/, expiresIn: 600 } })
  const [notice] = await mailsOf(service, ADA)
  t.match(notice, { message: 'existing_account', text: /localhost:3000\/account\/forgot\n/ })
  t.equal(notice?.code, '')
  t.equal((await mailsOf(service, 'grace@example.com'))[0]?.message, 'register_code')
  t.notMatch(notice?.text, 'Ada', 'nothing that the asker wrote')
})

t.test('an address that is held for another account counts as taken', async t => {
  const service = await startService(t, VERIFIED)
  const other = await mailed(service, { email: 'other@example.com' })
  const { body: { user } } = await confirm(service, { requestId: other.requestId, code: other.code })
  const before = await mailed(service, { email: 'held@example.com' })
  await service.sql("INSERT INTO email_holds (email, user_id, until) VALUES ('held@example.com', $1::uuid, now() + interval '7 days')", user.id)
  t.match(await confirm(service, { requestId: before.requestId, code: before.code }), { status: 409, body: { code: 'email_taken' } }, 'taken meanwhile')
  await register(service, { email: 'held@example.com' })
  t.equal((await mailsOf(service, 'held@example.com'))[0]?.message, 'existing_account')
  await service.sql("UPDATE email_holds SET until = now() - interval '1 second'")
  t.equal((await confirm(service, { requestId: before.requestId, code: before.code })).status, 201, 'a refusal has used nothing up')
})

t.test('bad fields and weak passwords are 422, and nothing is mailed', async t => {
  const service = await startService(t, VERIFIED)
  t.match(await register(service, { password: 'password' }), { status: 422, body: { code: 'weak_password' } })
  t.match(await register(service, { password: ADA }), { status: 422, body: { code: 'weak_password' } })
  t.match(await register(service, { email: 'no address' }), { status: 422, body: { code: 'validation_failed' } })
  t.match(await register(service, { role: 'admin' }), { status: 422, body: { code: 'validation_failed' } })
  t.strictSame(await mailsOf(service), [])
})

t.test('of twenty confirmations at once, one makes the account', async t => {
  const service = await startService(t, VERIFIED)
  const { requestId, code, token } = await mailed(service)
  const answers = await Promise.all(Array.from({ length: 20 }, (_, index) => confirm(service, index % 2 ? { requestId, code } : { token, password: PASSWORD })))
  t.equal(answers.filter(({ status }) => status === 201).length, 1)
  for (const { status, body } of answers.filter(({ status }) => status !== 201)) t.ok(['invalid_code', 'link_used', 'email_taken', 'unavailable'].includes(body.code), `${status} ${body.code}`)
  t.equal((await accounts(service)).length, 1)
})

t.test('two registrations of one address that are confirmed at once make one account', async t => {
  const service = await startService(t, VERIFIED)
  const [first, second] = [await mailed(service), await mailed(service, { password: 'quite another password' })]
  const answers = await Promise.all([first, second].map(({ requestId, code }) => confirm(service, { requestId, code })))
  t.strictSame(answers.map(({ status }) => status).sort((a, b) => a - b), [201, 409])
  t.equal((await accounts(service)).length, 1)
})

t.test('the session comes as the confirmation asks for it', async t => {
  const service = await startService(t, VERIFIED)
  const { requestId, code } = await mailed(service)
  t.match(await confirm(service, { requestId, code, audience: 'nobody' }), { status: 422, body: { code: 'unknown_audience' } })
  t.match(await confirm(service, { requestId, code, deliver: 'session', audience: 'cart' }), { status: 422, body: { code: 'validation_failed' } })
  t.match(await confirm(service, { requestId, code, deliver: 'cookie' }, { headers: { 'sec-fetch-site': 'cross-site' } }), { status: 403 })
  const { status, cookies, body } = await confirm(service, { requestId, code, deliver: 'cookie' }, { headers: { 'sec-fetch-site': 'same-origin' } })
  t.equal(status, 201)
  t.hasProps(cookies, ['access', 'refresh'])
  t.equal(body.accessToken, undefined)
})

t.test('too old, and five wrong guesses', async t => {
  const service = await startService(t, VERIFIED)
  const { requestId, code, token } = await mailed(service)
  const wrong = String((Number(code) + 1) % 1_000_000).padStart(6, '0')
  for (let time = 0; time < 5; time++) t.equal((await confirm(service, { requestId, code: wrong })).status, 401)
  t.match(await confirm(service, { requestId, code }), { status: 401, body: { code: 'invalid_code' } })
  await service.sql("UPDATE one_time_tokens SET expires_at = now() - interval '1 minute'")
  t.match(await confirm(service, { token, password: PASSWORD }), { status: 410, body: { code: 'link_expired' } })
  t.match(await confirm(service, { token: `${token}x`, password: PASSWORD }), { status: 400, body: { code: 'link_invalid' } })
  t.strictSame(await accounts(service), [])
})

t.test('the password is stored as a hash, and neither it nor the token or code is in log or database', async t => {
  const service = await startService(t, VERIFIED)
  const { token, code, requestId } = await mailed(service)
  const [row] = await service.sql<{ all: string, hash: string }>('SELECT one_time_tokens::text AS all, data->>\'passwordHash\' AS hash FROM one_time_tokens')
  t.match(row?.hash, /^\$argon2id\$/)
  for (const secret of [PASSWORD, token, requestId]) {
    t.notMatch(row?.all, secret)
    t.notMatch(service.logText(), secret)
  }
  t.notMatch(service.logText(), standingAlone(code))
})

t.test('the limits: register answers 429, those of mail answer 202 and send nothing', async t => {
  const service = await startService(t, { ...VERIFIED, RATE_LIMITS: 'register=4/1m,mail=2/15m' })
  for (let time = 0; time < 4; time++) t.equal((await register(service)).status, 202)
  t.match(await register(service), { status: 429, body: { code: 'too_many_requests' }, headers: { 'retry-after': /^[1-9]/ } })
  t.equal((await mailsOf(service, ADA)).length, 2)
})

t.test('guesses are limited by network', async t => {
  const service = await startService(t, { ...VERIFIED, RATE_LIMITS: 'code=2/1m' })
  const { requestId, code } = await mailed(service)
  for (let time = 0; time < 2; time++) t.equal((await confirm(service, { requestId: 'x', code })).status, 401)
  t.equal((await confirm(service, { requestId, code })).status, 429)
})

t.test('an account of before logs in once its address is verified, and only the right password finds that out', async t => {
  const service = await startService(t, VERIFIED)
  const { requestId, code } = await mailed(service)
  await confirm(service, { requestId, code })
  await service.sql('UPDATE users SET email_verified = false')
  const logIn = (password = PASSWORD) => service.call('POST /auth/login', { json: { email: ADA, password } })
  t.match(await logIn('a wrong password indeed'), { status: 401, body: { code: 'invalid_credentials' } })
  t.match(await logIn(), { status: 403, body: { code: 'email_unverified' } })

  const { body: asked } = await service.call<Asked>('POST /auth/email/resend', { json: { email: ADA } })
  const [mail] = await allMailsOf(service, ADA)
  t.equal(mail?.message, 'verify_email')
  const proof = { requestId: asked.requestId, code: mail?.code }
  t.match(await service.call('POST /auth/email/verify', { json: proof }), { status: 401, body: { code: 'unauthenticated' } })
  t.equal((await service.call('POST /auth/email/verify', { json: { ...proof, password: PASSWORD } })).status, 204)
  t.equal((await logIn()).status, 200)
})

t.test('the mails are in the language of the browser', async t => {
  const service = await startService(t, VERIFIED)
  for (const [language, words] of [['de-AT', /^Registrierung|^Schließen|bei localhost/], ['fr', /localhost/], ['en', /^Finish signing up/]] as const) {
    const email = `${language.toLowerCase()}@example.com`
    await register(service, { email }, { headers: { 'accept-language': language } })
    t.match((await mailsOf(service, email))[0], { message: 'register_code', subject: words })
  }
  const subjects = (await mailsOf(service)).map(({ subject }) => subject)
  t.equal(new Set(subjects).size, 3)
})

t.test('a notice to whoever has the address already is in their own language, or in that of the browser where they have none', async t => {
  const service = await startService(t, VERIFIED)
  const { requestId, code } = await mailed(service)
  await confirm(service, { requestId, code })
  const noticed = async (email: string) => {
    await register(service, { email }, { headers: { 'accept-language': 'fr' } })
    return (await mailsOf(service, email))[0]
  }
  await service.sql("UPDATE users SET locale = 'de'")
  t.match(await noticed(ADA), { message: 'existing_account', subject: /^Sie haben schon ein Konto/ })
  await service.sql("INSERT INTO email_holds (email, user_id, until) SELECT 'former@example.com', id, now() + interval '7 days' FROM users")
  t.match(await noticed('former@example.com'), { message: 'existing_account', subject: /^Sie haben schon ein Konto/ }, 'a held address, too')
  await service.sql('UPDATE users SET locale = NULL')
  t.match(await noticed(ADA), { message: 'existing_account', subject: /^Vous avez déjà un compte/ })
})
