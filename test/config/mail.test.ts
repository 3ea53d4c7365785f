import t from 'tap'
import { ConfigurationError, readConfig, type Environment } from '../../src/config.ts'
import { generateSecret } from '../../src/config/generated-secrets.ts'
import { NOTICES } from '../../src/messages/mail-messages.ts'

const SECRETS = { COUNTERSIGN_SECRET: generateSecret(), JWT_SECRET: generateSecret() }
const PRODUCTION = { NODE_ENV: 'production', DATABASE_URL: 'postgres://db.example.com/countersign' }
const SMTP = { SMTP_URL: 'smtps://smtp.example.com', MAIL_FROM: 'no-reply@example.com' }
const configOf = (environment: Environment) => readConfig({ ...SECRETS, ...environment })

function problemsOf (environment: Environment): Record<string, string> {
  try {
    configOf(environment)
    return {}
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error
    return Object.fromEntries(error.problems.map(({ variable, problem }) => [variable, problem]))
  }
}

t.test('an SMTP server is a URL with few parts', async t => {
  const servers: Record<string, unknown> = {
    'smtps://smtp.example.com': { host: 'smtp.example.com', port: 465, tls: 'implicit' },
    'smtps://smtp.example.com:2465/': { host: 'smtp.example.com', port: 2465, tls: 'implicit' },
    'smtp://SMTP.example.com': { host: 'smtp.example.com', port: 587, tls: 'starttls' },
    'smtp://a%40b:p%3Aw%2F@smtp.example.com:25': { host: 'smtp.example.com', port: 25, tls: 'starttls', login: { user: 'a@b', password: 'p:w/' } },
    'smtp://relay?tls=off': { host: 'relay', port: 587, tls: 'none' },
    'smtp://localhost:1025': { host: 'localhost', port: 1025, tls: 'none' },
    'smtp://127.0.0.1:25': { host: '127.0.0.1', port: 25, tls: 'none' },
    'smtp://[::1]:25': { host: '::1', port: 25, tls: 'none' },
    'smtp://[2001:db8::1]': { host: '2001:db8::1', port: 587, tls: 'starttls' }
  }
  for (const [url, server] of Object.entries(servers)) t.strictSame(configOf({ ...SMTP, SMTP_URL: url }).smtpUrl, server, url)
})

t.test('whatever else a URL holds is refused, and not repeated', async t => {
  for (const url of ['https://smtp.example.com', 'smtp.example.com', 'smtp://', 'smtp:///x', 'smtps://user@smtp.example.com', 'smtps://:hunter2@smtp.example.com', 'smtps://smtp.example.com/path', 'smtps://smtp.example.com#x', 'smtps://smtp.example.com?tls=off', 'smtp://smtp.example.com?tls=on', 'smtp://smtp.example.com?tls=off&pool=true', 'smtp://smtp.example.com?ignoreTLS=true', 'smtp://u:%ZZhunter2@smtp.example.com', 'smtp://exa mple.com', 'smtp://exa_mple.com', 'smtp://a:99999']) {
    const problems = problemsOf({ ...SMTP, SMTP_URL: url })
    t.strictSame(Object.keys(problems), ['SMTP_URL'], url)
    t.notMatch(JSON.stringify(problems), /hunter2/)
  }
})

t.test('a sender is an address, with a name or without', async t => {
  const senders: Record<string, unknown> = {
    'no-reply@example.com': { name: '', address: 'no-reply@example.com' },
    'Example Shop <no-reply@example.com>': { name: 'Example Shop', address: 'no-reply@example.com' },
    '"Example, Shop" <no-reply@bücher.example>': { name: 'Example, Shop', address: 'no-reply@xn--bcher-kva.example' },
    'mail@localhost': { name: '', address: 'mail@localhost' }
  }
  for (const [text, mailbox] of Object.entries(senders)) t.strictSame(configOf({ ...SMTP, MAIL_FROM: text }).mailFrom, mailbox, text)
  for (const text of ['Example', 'Example <>', 'a@b@c', 'a b@example.com', 'a@example.com, b@example.com', 'x <a@example.com> y', 'Shop\r\nBcc: a@example.com <b@example.com>', '<a@example.com', 'a@exa mple.com']) {
    t.strictSame(Object.keys(problemsOf({ ...SMTP, MAIL_FROM: text })), ['MAIL_FROM'], text)
  }
  t.match(problemsOf({ SMTP_URL: SMTP.SMTP_URL }), { MAIL_FROM: 'is required beside SMTP_URL' })
})

t.test('links lead to a page of one\'s own, by a URL with the token in it once', async t => {
  for (const url of ['https://app.example.com/mail/{purpose}#{token}', 'https://app.example.com/mail?for={purpose}&token={token}', 'http://localhost:5173/#{token}']) t.equal(configOf({ MAIL_LINKS_URL: url }).mailLinksUrl, url)
  for (const url of ['https://app.example.com/', 'https://{token}.example.com/', 'https://{purpose}.example.com/{token}', 'http://app.example.com/{token}', 'javascript:{token}', '/mail/{token}', 'https://app.example.com/{token}/{token}', 'https://app.example.com/{token}?{user}', 'https://u:p@app.example.com/{token}']) {
    t.strictSame(Object.keys(problemsOf({ MAIL_LINKS_URL: url })), ['MAIL_LINKS_URL'], url)
  }
})

t.test('notices are all, none, or those that are named', async t => {
  t.strictSame(configOf({}).mailNotices, NOTICES)
  t.strictSame(configOf({ MAIL_NOTICES: 'none' }).mailNotices, [])
  t.strictSame(configOf({ MAIL_NOTICES: 'new_device, password_changed' }).mailNotices, ['new_device', 'password_changed'])
  for (const text of ['newDevice', 'all,none', 'password_reset', 'new_device,']) t.strictSame(Object.keys(problemsOf({ MAIL_NOTICES: text })), ['MAIL_NOTICES'], text)
})

t.test('the service is called by the host of PUBLIC_URL, or as SERVICE_NAME says', async t => {
  t.equal(configOf({ PUBLIC_URL: 'https://auth.example.com:8443/x' }).serviceName, 'auth.example.com')
  t.equal(configOf({ SERVICE_NAME: 'Example Shop' }).serviceName, 'Example Shop')
  for (const text of ['a\nb', 'x'.repeat(61)]) t.strictSame(Object.keys(problemsOf({ SERVICE_NAME: text })), ['SERVICE_NAME'])
})

t.test('production that asks for verified addresses does not start without a way to verify them', async t => {
  t.match(problemsOf({ ...PRODUCTION, REQUIRE_VERIFIED_EMAIL: 'true' }), { SMTP_URL: /REQUIRE_VERIFIED_EMAIL/ })
  t.strictSame(problemsOf({ ...PRODUCTION, ...SMTP, REQUIRE_VERIFIED_EMAIL: 'true' }), {})
  t.strictSame(problemsOf(PRODUCTION), {})
  t.strictSame(problemsOf({ REQUIRE_VERIFIED_EMAIL: 'true' }), {}, 'in development mails are printed')
})
