import t from 'tap'
import { allMailsOf, mailsOf } from '../support/inbox.ts'
import { PASSWORD, startService, type TestService } from '../support/service.ts'

const ADA = 'ada@example.com'
const OURS = { 'sec-fetch-site': 'same-origin' }

const post = ({ call }: TestService, path: string, fields: Record<string, string>, options: { headers?: Record<string, string>, cookies?: Record<string, string> } = {}) =>
  call(`POST ${path}`, { text: new URLSearchParams(fields).toString(), ...options, headers: { 'content-type': 'application/x-www-form-urlencoded', ...OURS, ...options.headers } })
const linkIn = (text = '') => /http:\/\/localhost:3000(\/\S+)/.exec(text)?.[1] ?? ''

t.test('the link of a registration asks for its password, makes the account, and logs this browser in', async t => {
  const service = await startService(t, { REQUIRE_VERIFIED_EMAIL: 'true' })
  await service.call('POST /auth/register', { json: { email: ADA, password: PASSWORD } })
  const [mail] = await mailsOf(service, ADA)
  const token = mail?.token ?? ''
  t.equal(linkIn(mail?.text), `/account/register?token=${token}`)
  const { status, text } = await service.call(`GET ${linkIn(mail?.text)}`)
  t.equal(status, 200)
  t.match(text, new RegExp(`value="${ADA}" readonly[^]*name="password" type="password" autocomplete="current-password" autofocus`))

  const wrong = await post(service, '/account/register', { token, password: 'another password entirely' })
  t.match(wrong, { status: 401, text: /aria-invalid="true" aria-describedby="objection"[^]*id="objection">This is not the password/ })
  t.strictSame(wrong.cookies, {})
  t.equal((await post(service, '/account/register', { token })).status, 401)
  t.strictSame(await service.sql('SELECT 1 FROM users'), [])

  const done = await post(service, '/account/register', { token, password: PASSWORD })
  t.match(done, { status: 200, text: /role="status">Your account is ready/ })
  t.match(await service.call('GET /auth/me', { cookies: Object.fromEntries(Object.entries(done.cookies).map(([name, { value }]) => [name, value])) }), { status: 200, body: { email: ADA, emailVerified: true } })
  t.match(await post(service, '/account/register', { token, password: PASSWORD }), { status: 410, text: /used already/ })
})

t.test('the link of a verification needs only its button where this browser has a session of the account', async t => {
  const service = await startService(t)
  const [ada, grace] = [await service.person(), await service.person()]
  const [mail] = await allMailsOf(service, ada.email)
  const token = mail?.token ?? ''
  const path = linkIn(mail?.text)
  t.equal(path, `/account/verify?token=${token}`)
  const [own, others] = [await service.cookiesOf(ada), await service.cookiesOf(grace)]
  t.notMatch((await service.call(`GET ${path}`, { cookies: own })).text, 'name="password"')
  for (const cookies of [{}, others, { access: 'x.y.z' }]) t.match((await service.call(`GET ${path}`, { cookies })).text, 'name="password"')

  t.match(await post(service, '/account/verify', { token }), { status: 401, text: /Enter the password of the account/ })
  t.match(await post(service, '/account/verify', { token }, { cookies: others }), { status: 403, text: /logged in to another account/ })
  t.match(await post(service, '/account/verify', { token, password: 'a wrong password indeed' }), { status: 401, text: /id="objection">This is not the password/ })
  t.match(await post(service, '/account/verify', { token }, { cookies: own, headers: { 'sec-fetch-site': 'cross-site' } }), { status: 403, text: /another site/ })
  t.strictSame(await service.sql('SELECT 1 FROM users WHERE email_verified'), [])
  t.match(await post(service, '/account/verify', { token }, { cookies: own }), { status: 200, text: /role="status">Your address is confirmed/ })
  t.equal((await service.sql('SELECT 1 FROM users WHERE email_verified')).length, 1)
})

t.test('… and its password where it has none', async t => {
  const service = await startService(t)
  const ada = await service.person()
  const [mail] = await allMailsOf(service, ada.email)
  t.equal((await post(service, '/account/verify', { token: mail?.token ?? '', password: PASSWORD }, { cookies: { access: 'x.y.z' } })).status, 200)
  t.match(await service.call('GET /auth/me', { token: ada.accessToken }), { body: { emailVerified: true } })
})

t.test('the page for a forgotten password needs no token, and answers alike', async t => {
  const service = await startService(t)
  const ada = await service.person()
  const page = await service.call('GET /account/forgot')
  t.match(page, { status: 200, text: /<form method="post"[^]*name="email" type="email"/ })
  t.notMatch(page.text, 'name="token"')
  const texts = []
  for (const email of [ada.email, 'nobody@example.com', 'no address', '']) {
    const { status, text } = await post(service, '/account/forgot', { email }, { headers: { 'accept-language': 'de' } })
    t.equal(status, 200)
    texts.push(text)
  }
  t.equal(new Set(texts).size, 1)
  t.match((await mailsOf(service)).map(({ to, message, subject }) => ({ to, message, subject })), [{ to: ada.email, message: 'password_reset', subject: /^Wählen Sie/ }])
})

t.test('a scanner that opens every link of every mail uses nothing up', async t => {
  const service = await startService(t, { CODE_LOGIN: 'true' })
  const verified = await startService(t, { REQUIRE_VERIFIED_EMAIL: 'true' })
  const ada = await service.person()
  await service.call('POST /auth/password/forgot', { json: { email: ada.email } })
  await service.call('POST /auth/code', { json: { email: ada.email } })
  await verified.call('POST /auth/register', { json: { email: ADA, password: PASSWORD } })
  for (const { call, sql, ...rest } of [service, verified]) {
    const before = await allMailsOf({ call, sql, ...rest })
    t.ok(before.length > 0)
    for (const link of before.map(({ text }) => linkIn(text)).filter(link => link !== '')) {
      for (const method of ['HEAD', 'GET', 'GET', 'HEAD']) t.equal((await call(`${method} ${link}`, { headers: { 'user-agent': 'scanner' } })).status, 200, `${method} ${link.split('?')[0]}`)
    }
    const stored = await sql<{ used: Date | null, tries: number }>('SELECT used_at AS used, tries FROM one_time_tokens')
    t.ok(stored.length > 0)
    for (const token of stored) t.strictSame(token, { used: null, tries: 0 })
    t.equal((await allMailsOf({ call, sql, ...rest })).length, before.length)
  }
  t.strictSame(await verified.sql('SELECT 1 FROM users'), [])
})

t.test('a poisoned Host leads into no link, of any mail', async t => {
  const poisoned = { host: 'evil.example', 'x-forwarded-host': 'evil.example', 'x-forwarded-proto': 'https', forwarded: 'host=evil.example' }
  const service = await startService(t, { CODE_LOGIN: 'true' })
  const verified = await startService(t, { REQUIRE_VERIFIED_EMAIL: 'true' })
  const call = (to: TestService, path: string, json: object) => to.call(`POST ${path}`, { json, headers: poisoned })
  const ada = await service.person()
  for (const [path, json] of [['/auth/register', { password: PASSWORD }], ['/auth/email/resend', {}], ['/auth/password/forgot', {}], ['/auth/code', {}]] as const) await call(service, path, { email: ada.email, ...json })
  await call(verified, '/auth/register', { email: ADA, password: PASSWORD })
  const mails = [...await allMailsOf(service), ...await allMailsOf(verified)]
  t.strictSame(new Set(mails.map(({ message }) => message)), new Set(['verify_email', 'password_reset', 'login_code', 'register_code']))
  for (const { text, message } of mails) {
    t.notMatch(text, 'evil.example', message)
    for (const [link] of text.matchAll(/https?:\S+/g)) t.match(link, /^http:\/\/localhost:3000\/account\//)
  }
})

t.test('the pages are in the language of the browser', async t => {
  const service = await startService(t)
  const ada = await service.person()
  const [mail] = await allMailsOf(service, ada.email)
  for (const [language, words] of [['de', 'Adresse bestätigen'], ['fr', 'Confirmer l’adresse'], ['en', 'Confirm the address']] as const) {
    t.match((await service.call(`GET ${linkIn(mail?.text)}`, { headers: { 'accept-language': language } })).text, words)
  }
})
