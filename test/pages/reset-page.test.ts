import { createHash } from 'node:crypto'
import Fastify, { type FastifyBaseLogger } from 'fastify'
import { pino } from 'pino'
import t from 'tap'
import { countersign } from '../../src/index.ts'
import { testDatabase } from '../support/database.ts'
import { mailsOf } from '../support/inbox.ts'
import { startService, type Person, type TestService } from '../support/service.ts'

const NEW = 'a staple of nine words'
const OURS = { 'sec-fetch-site': 'same-origin' }

async function linkTo (service: TestService): Promise<{ person: Person, path: string, token: string }> {
  const person = await service.person()
  await service.call('POST /auth/password/forgot', { json: { email: person.email } })
  const [mail] = await mailsOf(service, person.email)
  const [, path = ''] = /http:\/\/localhost:3000(\/\S+)/.exec(mail?.text ?? '') ?? []
  return { person, path, token: mail?.token ?? '' }
}

const post = ({ call }: TestService, fields: Record<string, string>, headers: Record<string, string> = OURS) =>
  call('POST /account/reset', { text: new URLSearchParams(fields).toString(), headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers } })

t.test('opening the link uses up nothing, however often; its button does what it says', async t => {
  const service = await startService(t)
  const { person, path, token } = await linkTo(service)
  t.equal(path, `/account/reset?token=${token}`)
  for (const method of ['HEAD', 'GET', 'HEAD', 'GET']) {
    const { status, text, headers } = await service.call(`${method} ${path}`)
    t.equal(status, 200)
    t.match(headers, { 'content-type': 'text/html; charset=utf-8', 'cache-control': 'no-store', 'referrer-policy': 'same-origin', 'x-frame-options': 'DENY' })
    t.match(headers['content-security-policy'], /^default-src 'none'; style-src 'sha256-[\w+/=]+'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'$/)
    if (method === 'HEAD') t.equal(text, '')
    else t.match(text, new RegExp(`method="post"[^]*value="${token}"[^]*value="${person.email}" readonly`))
    t.notMatch(text, /<script|\son\w+=|src=|href=/, 'no script, and nothing is loaded')
  }
  t.strictSame(await service.sql("SELECT used_at, tries FROM one_time_tokens WHERE purpose = 'password_reset'"), [{ used_at: null, tries: 0 }])

  const { status, text } = await post(service, { token, newPassword: NEW, username: person.email })
  t.equal(status, 200)
  t.match(text, /role="status">Your password has been changed/)
  t.equal((await service.call('POST /auth/login', { json: { email: person.email, password: NEW } })).status, 200)
})

t.test('the style that the policy allows is the one of the page', async t => {
  const service = await startService(t)
  const { text, headers } = await service.call('GET /account/reset')
  const [, css = ''] = /<style>([^]*?)<\/style>/.exec(text) ?? []
  t.match(headers['content-security-policy'], `'sha256-${createHash('sha256').update(css).digest('base64')}'`)
})

t.test('a password that is refused is said at its field, and the link is still good', async t => {
  const service = await startService(t)
  const { token } = await linkTo(service)
  const { status, text } = await post(service, { token, newPassword: 'password' })
  t.equal(status, 422)
  t.match(text, /<title>Error: Choose a new password: localhost<\/title>/)
  t.match(text, /aria-invalid="true" aria-describedby="objection rule"/)
  t.match(text, /id="objection">This password is too common\./)
  t.notMatch(text, 'value="password"')
  t.equal((await post(service, { token, newPassword: '' })).status, 422)
  t.equal((await post(service, { token })).status, 422)
  t.equal((await post(service, { token, newPassword: NEW })).status, 200)
})

t.test('a link that is no good says why, and has no form', async t => {
  const service = await startService(t)
  const { token } = await linkTo(service)
  for (const path of ['/account/reset', '/account/reset?token=', '/account/reset?token=x', '/account/reset?token=x&token=y', `/account/reset?token=${token.slice(1)}`]) {
    const { status, text } = await service.call(`GET ${path}`)
    t.equal(status, 400, path)
    t.match(text, 'role="alert">This link is not complete')
    t.notMatch(text, '<form')
  }
  await service.sql('UPDATE one_time_tokens SET used_at = now()')
  t.match(await service.call(`GET /account/reset?token=${token}`), { status: 410, text: /used already/ })
  t.match(await post(service, { token, newPassword: NEW }), { status: 410, text: /used already/ })
  await service.sql("UPDATE one_time_tokens SET used_at = NULL, expires_at = now() - interval '1 minute'")
  t.match(await service.call(`GET /account/reset?token=${token}`), { status: 410, text: /too old/ })
})

t.test('the form is taken from the page itself only', async t => {
  const service = await startService(t, { ALLOWED_ORIGINS: 'https://app.example.com' })
  const { token } = await linkTo(service)
  const OTHERS: Record<string, Record<string, string>> = {
    'another site': { 'sec-fetch-site': 'cross-site', origin: 'http://localhost:3000' },
    'a subdomain': { 'sec-fetch-site': 'same-site' },
    'another origin': { origin: 'https://evil.example' },
    'an allowed origin': { origin: 'https://app.example.com' },
    'an opaque origin': { origin: 'null' },
    'no origin': {}
  }
  for (const [name, headers] of Object.entries(OTHERS)) {
    const { status, text, headers: answered } = await post(service, { token, newPassword: NEW }, headers)
    t.equal(status, 403, name)
    t.match(text, /<html lang="en">[^]*another site/)
    t.equal(answered['access-control-allow-origin'], undefined)
    t.notMatch(text, token)
  }
  t.equal((await post(service, { token, newPassword: 'password' }, { origin: 'http://localhost:3000' })).status, 422, 'a browser without Sec-Fetch-Site')
  t.equal((await post(service, { token, newPassword: NEW }, { 'sec-fetch-site': 'none' })).status, 200)
})

t.test('other bodies are refused by a page', async t => {
  const service = await startService(t)
  t.match(await service.call('POST /account/reset', { json: { token: 'x' }, headers: OURS }), { status: 415, headers: { 'content-type': 'text/html; charset=utf-8' } })
  t.match(await service.call('POST /account/reset', { text: 'token=x&token=y', headers: { ...OURS, 'content-type': 'application/x-www-form-urlencoded' } }), { status: 400, headers: { 'content-type': 'text/html; charset=utf-8' } })
  t.match(await post(service, { token: 'x'.repeat(20_000) }), { status: 413, headers: { 'content-type': 'text/html; charset=utf-8' } })
})

t.test('the page is in the language of the browser', async t => {
  const service = await startService(t)
  for (const [language, lang, words] of [['de-AT', 'de', 'Dieser Link'], ['fr;q=0.9, de;q=0.1', 'fr', 'Ce lien'], ['xx', 'en', 'This link']] as const) {
    const { text } = await service.call('GET /account/reset', { headers: { 'accept-language': language } })
    t.match(text, `<html lang="${lang}">`)
    t.match(text, words)
  }
})

t.test('what a link holds is text', async t => {
  const service = await startService(t)
  const { text } = await post(service, { token: '"><script>alert(1)</script>', newPassword: 'x' })
  t.notMatch(text, '<script')
})

t.test('no token is in the log: not in the service\'s, nor in a host\'s request log', async t => {
  const service = await startService(t)
  const { path, token } = await linkTo(service)
  await service.call(`GET ${path}`)
  await post(service, { token, newPassword: NEW })
  t.notMatch(service.logText(), token)
  t.match(service.logText(), '"route":"/account/reset"')

  const lines: string[] = []
  const stream = { write: (line: string) => { lines.push(line) } }
  for (const app of [Fastify({ logger: { level: 'debug', stream } }), Fastify({ loggerInstance: pino({ level: 'debug' }, stream) as FastifyBaseLogger })]) {
    t.teardown(() => app.close())
    const { url, dataDir } = await testDatabase(t)
    await app.register(countersign, { environment: { DATA_DIR: dataDir, ...url !== undefined && { DATABASE_URL: url } } })
    app.get('/own', async () => 'own')
    await app.inject('/account/reset?token=a-secret-of-a-link')
    await app.inject('/own?token=of-the-host')
  }
  t.match(lines.join(''), '/account/reset')
  t.match(lines.join(''), '/own?token=of-the-host', 'the host\'s own routes are logged as it wants')
  t.notMatch(lines.join(''), 'a-secret-of-a-link')
})

t.test('links that are no good count by network, and a good one may be opened as often as one likes', async t => {
  const service = await startService(t, { RATE_LIMITS: 'network=3/1m' })
  const { path } = await linkTo(service)
  const from = '198.51.100.7'
  for (let times = 0; times < 5; times++) t.equal((await service.call(`GET ${path}`, { from })).status, 200)
  const madeUp = () => service.call(`GET /account/reset?token=${'x'.repeat(43)}`, { from })
  for (let times = 0; times < 3; times++) t.equal((await madeUp()).status, 400)
  const { status, headers } = await madeUp()
  t.equal(status, 429)
  t.ok(Number(headers['retry-after']) >= 1)
  t.equal((await service.call(`GET ${path}`, { from: '198.51.100.8' })).status, 200, 'another network goes on')
  t.equal((await service.call('GET /account/forgot', { from })).status, 200, 'and so does a page without a link')
})

t.test('a form that is not UTF-8 is refused, and sets no other password', async t => {
  const service = await startService(t)
  const person = await service.person()
  await service.call('POST /auth/password/forgot', { json: { email: person.email } })
  const [mail] = await mailsOf(service, person.email)
  const begun = `token=${mail?.token}&newPassword=a staple of nine words`
  for (const [name, body] of Object.entries({ 'an escape': Buffer.from(`${begun}%FF`), 'a byte': Buffer.from([...Buffer.from(begun), 0xff]), 'a stray %': Buffer.from(`${begun}%`) })) {
    const { statusCode } = await service.app.inject({ method: 'POST', url: '/account/reset', headers: { 'content-type': 'application/x-www-form-urlencoded', 'sec-fetch-site': 'same-origin' }, payload: body })
    t.equal(statusCode, 400, name)
  }
  t.ok((await service.logIn(person)).accessToken)
})
