import t from 'tap'
import { startSmtp } from '../mail/smtp.ts'
import { claimsOf } from '../support/claims-of.ts'
import { allMailsOf } from '../support/inbox.ts'
import { PASSWORD, startService, type LoginBody, type Person, type TestService } from '../support/service.ts'
import { until } from '../support/until.ts'

interface Asked { requestId: string, expiresIn: number }

const verify = ({ call }: TestService, json: object, options = {}) => call('POST /auth/email/verify', { json, ...options })
const resend = ({ call }: TestService, options: object) => call<Asked>('POST /auth/email/resend', options)
const isVerified = async (service: TestService, { user }: Pick<Person, 'user'>) => (await service.sql<{ is: boolean }>('SELECT email_verified AS is FROM users WHERE id = $1::uuid', user.id))[0]?.is

/** The newest mail to verify somebody's address. */
async function mailOf (service: TestService, { email }: Pick<Person, 'email'>) {
  const [mail] = await allMailsOf(service, email)
  if (mail?.message !== 'verify_email') throw new Error('No mail came')
  return mail
}

t.test('registering logs in, and mails a link that verifies the address with the session', async t => {
  const service = await startService(t)
  const ada = await service.person()
  t.equal(ada.user.emailVerified, false)
  t.equal(claimsOf(ada.accessToken).email_verified, false)
  const { token, code, text } = await mailOf(service, ada)
  t.match(token, /^[\w-]{43}$/)
  t.equal(code, '', 'a link alone: nobody got the id of a request, and a code would be of no use')
  t.notMatch(text, /code/i)
  t.strictSame(await service.sql('SELECT code_mac, request_hash, purpose FROM one_time_tokens'), [{ code_mac: null, request_hash: null, purpose: 'email_verification' }])

  t.equal((await verify(service, { token }, { token: ada.accessToken })).status, 204)
  t.match(await service.call('GET /auth/me', { token: ada.accessToken }), { status: 200, body: { emailVerified: true } }, 'no session ends')
  const { body } = await service.call<LoginBody>('POST /auth/refresh', { json: { refreshToken: ada.refreshToken } })
  t.equal(claimsOf(body.accessToken).email_verified, true)
  t.equal(claimsOf(body.accessToken).ver, claimsOf(ada.accessToken).ver)
  t.match(await verify(service, { token }, { token: ada.accessToken }), { status: 410, body: { code: 'link_used' } })
  t.match(await service.sql("SELECT outcome, subject_id::text AS subject FROM audit_events WHERE action = 'email_verify' AND outcome = 'success'"), [{ subject: ada.user.id }])
})

t.test('a code does the same, and so does a session in cookies', async t => {
  const service = await startService(t)
  const ada = await service.person()
  // The mail of the registration is there before the other is asked for: the newest is read.
  await mailOf(service, ada)
  const { body: { requestId } } = await resend(service, { token: ada.accessToken })
  const { code } = await mailOf(service, ada)
  t.match(code, /^[0-9]{6}$/)
  const cookies = await service.cookiesOf(ada)
  t.match(await verify(service, { requestId, code }, { cookies, headers: { 'sec-fetch-site': 'cross-site' } }), { status: 403, body: { code: 'cross_site_request' } })
  t.equal((await verify(service, { requestId, code }, { cookies, headers: { 'sec-fetch-site': 'same-origin' } })).status, 204)
  t.equal(await isVerified(service, ada), true)
})

t.test('whoever only reads the mailbox verifies no account that somebody else registered', async t => {
  const service = await startService(t)
  const [squatter, owner] = [await service.person(), await service.person()]
  const { token } = await mailOf(service, squatter)
  t.match(await verify(service, { token }), { status: 401, body: { code: 'unauthenticated' } })
  t.match(await verify(service, { token }, { token: owner.accessToken }), { status: 403, body: { code: 'different_session' } })
  t.match(await verify(service, { token, password: 'a wrong password indeed' }), { status: 401, body: { code: 'invalid_credentials' } })
  t.match(await verify(service, { token }, { token: 'x.y.z' }), { status: 401, body: { code: 'invalid_token' } })
  const { body: { requestId } } = await resend(service, { json: { email: squatter.email } })
  const { code } = await mailOf(service, squatter)
  t.match(await verify(service, { requestId, code }), { status: 401, body: { code: 'unauthenticated' } })
  t.equal(await isVerified(service, squatter), false)
})

t.test('the password of the account stands in for its session, also beside the session of another', async t => {
  const service = await startService(t)
  const [ada, grace] = [await service.person(), await service.person()]
  const { token } = await mailOf(service, ada)
  t.equal((await verify(service, { token, password: PASSWORD }, { token: grace.accessToken })).status, 204)
  t.equal(await isVerified(service, ada), true)
  t.equal(await isVerified(service, grace), false)
})

t.test('guesses at that password count with those at login', async t => {
  const service = await startService(t, { RATE_LIMITS: 'login=off,network=off,success=off,code=off,lock=2' })
  const ada = await service.person()
  const { token } = await mailOf(service, ada)
  t.equal((await verify(service, { token, password: 'a wrong password indeed' })).status, 401)
  t.match(await service.call('POST /auth/login', { json: { email: ada.email, password: PASSWORD } }), { status: 429, body: { code: 'too_many_failures' } })
  t.match(await verify(service, { token, password: PASSWORD }), { status: 429, body: { code: 'too_many_failures' } })
})

t.test('five wrong codes, a truncated link, one for something else, one that is too old, one that was asked anew', async t => {
  const service = await startService(t)
  const ada = await service.person()
  const first = await mailOf(service, ada)
  const { body: { requestId } } = await resend(service, { token: ada.accessToken })
  const second = await mailOf(service, ada)
  const as = { token: ada.accessToken }
  t.match(await verify(service, { token: first.token }, as), { status: 410, body: { code: 'link_expired' } })
  t.match(await verify(service, { token: second.token.slice(1) }, as), { status: 400, body: { code: 'link_invalid' } })
  const { body: forgot } = await service.call<Asked>('POST /auth/password/forgot', { json: { email: ada.email } })
  const [reset] = await allMailsOf(service, ada.email)
  t.match(await verify(service, { token: reset?.token }, as), { status: 400, body: { code: 'link_invalid' } })
  t.match(await verify(service, { requestId: forgot.requestId, code: reset?.code }, as), { status: 401, body: { code: 'invalid_code' } })
  const wrong = String((Number(second.code) + 1) % 1_000_000).padStart(6, '0')
  for (let time = 0; time < 5; time++) t.equal((await verify(service, { requestId, code: wrong }, as)).status, 401)
  t.match(await verify(service, { requestId, code: second.code }, as), { status: 401, body: { code: 'invalid_code' } })
  t.equal((await verify(service, { token: second.token }, as)).status, 204, 'guesses at the code take nothing from the link')
})

t.test('an address that was changed, or an account that was disabled meanwhile, is not verified', async t => {
  const service = await startService(t)
  const ada = await service.person()
  const { token } = await mailOf(service, ada)
  await service.sql("UPDATE users SET email = 'new@example.com' WHERE id = $1::uuid", ada.user.id)
  t.match(await verify(service, { token }, { token: ada.accessToken }), { status: 400, body: { code: 'link_invalid' } })
  await service.sql('UPDATE users SET email = $2, disabled_at = now() WHERE id = $1::uuid', ada.user.id, ada.email)
  t.match(await verify(service, { token }, { token: ada.accessToken }), { status: 400, body: { code: 'link_invalid' } })
  t.strictSame(await service.sql('SELECT used_at FROM one_time_tokens'), [{ used_at: null }])
})

t.test('asking anew is answered alike for a verified address, an unknown one, and beyond the limits', async t => {
  const service = await startService(t, { RATE_LIMITS: 'mail=1/15m,register=off' })
  const [ada, verified] = [await service.person(), await service.person()]
  await service.sql('UPDATE users SET email_verified = true WHERE id = $1::uuid', verified.user.id)
  await allMailsOf(service)
  const answers = []
  for (const email of [ada.email, verified.email, 'nobody@example.com', ada.email]) answers.push(await resend(service, { json: { email } }))
  for (const { status, body, headers } of answers) {
    t.equal(status, 202)
    t.match(body, { requestId: /^[\w-]{22}$/, expiresIn: 600 })
    t.strictSame(Object.keys(headers).sort(), Object.keys(answers[0]?.headers ?? {}).sort())
  }
  t.equal((await allMailsOf(service, ada.email)).length, 2, 'that of registering, and one more')
  t.equal((await allMailsOf(service, 'nobody@example.com')).length, 0)
  t.match(await resend(service, { json: {} }), { status: 401, body: { code: 'unauthenticated' } })
  t.match(await resend(service, {}), { status: 401, body: { code: 'unauthenticated' } })
})

t.test('the mail of a registration is stored with the account, or not at all', async t => {
  const service = await startService(t)
  const ada = await service.person()
  t.equal((await service.call('POST /auth/register', { json: { email: ada.email, password: PASSWORD } })).status, 409)
  t.equal((await allMailsOf(service, ada.email)).length, 1)
})

t.test('where no mail is sent there are no such routes, and registering queues none', async t => {
  const service = await startService(t, { NODE_ENV: 'production', ALLOW_EMBEDDED_DATABASE: 'true' })
  await service.person()
  for (const path of ['/auth/email/verify', '/auth/email/resend', '/auth/code', '/auth/register/confirm']) t.equal((await service.call(`POST ${path}`, { json: {} })).status, 404, path)
  t.strictSame(await service.sql('SELECT 1 FROM outbox'), [])
})

t.test('whatever an address or a name holds, one mail with one recipient comes, and links are made of the configuration', async t => {
  const smtp = await startSmtp(t)
  const service = await startService(t, { SMTP_URL: smtp.url, MAIL_FROM: 'no-reply@shop.example' })
  const register = (email: string, name = 'Ada') => service.call('POST /auth/register', { json: { email, password: PASSWORD, name }, headers: { host: 'evil.example', 'x-forwarded-host': 'evil.example', 'x-forwarded-proto': 'https' } })
  const refused = ['ada@example.com\r\nBcc: eve@evil.example', 'ada@example.com, eve@evil.example', 'ada@example.com,eve', '<ada@example.com>', '"ada, eve"@example.com', `${'a'.repeat(65)}@example.com`, `${'a'.repeat(60)}@${'b'.repeat(63)}.${'c'.repeat(63)}.${'d'.repeat(63)}.example`]
  for (const email of refused) t.equal((await register(email)).status, 422, JSON.stringify(email.slice(0, 40)))
  for (const [index, name] of ['Eve\r\nBcc: eve@evil.example', 'https://evil.example/click', '<b>Eve</b>, you have won'].entries()) t.equal((await register(`ada${index}@example.com`, name)).status, 201)
  t.equal((await register('Ada@Bücher.example')).status, 201)
  await until(() => smtp.received.length === 4)
  for (const { to, source, mail } of smtp.received) {
    t.equal(to.length, 1)
    // Boundaries and tokens are random: what is looked for has to be longer than they can spell by chance.
    t.notMatch(source, /evil\.example|^Bcc:|you have won/im)
    t.match(mail.text, /http:\/\/localhost:3000\/account\/verify\?token=/)
  }
  t.ok(smtp.received.some(({ source }) => /^To: ada@xn--bcher-kva\.example\r$/m.test(source)))
})
