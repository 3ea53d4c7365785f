import { createHash, randomBytes } from 'node:crypto'
import t from 'tap'
import type { Browser } from '../../support/providers/browser.ts'
import { agree, startFlow, finishFlow, cookiesOf, signIn, startUrl } from '../../support/providers/sign-in.ts'
import { APP, APP_LINK, APP_SCHEME, startWorld } from '../../support/providers/world.ts'
import { fieldsOf, isProblem } from '../../support/problem.ts'
import type { Call, LoginBody } from '../../support/service.ts'

const EXCHANGE = 'POST /auth/providers/exchange'

/** What an app generates before it opens the browser. */
function createVerifier (): { codeVerifier: string, parameters: { codeChallenge: string, codeChallengeMethod: string } } {
  const codeVerifier = randomBytes(32).toString('base64url')
  return { codeVerifier, parameters: { codeChallenge: createHash('sha256').update(codeVerifier).digest('base64url'), codeChallengeMethod: 'S256' } }
}

t.test('signing in from a mobile app', async t => {
  const { service, google, github, browser } = await startWorld(t)
  google.accounts.set('ada', { email: 'ada@example.com', email_verified: true, name: 'Ada' })
  github.accounts.set('ada', { id: 12, emails: [{ email: 'ada@github.example', primary: true, verified: true }] })
  const exchange = (json: unknown, call: Call = {}) => service.call<LoginBody & { code: string }>(EXCHANGE, { ...call, json })

  /** The flow of an app, up to the code at its redirect target. */
  async function codeFor (as: string, redirectTo = APP_LINK): Promise<{ code: string, codeVerifier: string, browser: Browser }> {
    const { codeVerifier, parameters } = createVerifier()
    const tab = browser()
    const { at, error, code } = await signIn(tab, 'google', { as, redirectTo, parameters })
    t.strictSame({ at, error }, { at: redirectTo, error: null })
    return { code: code ?? '', codeVerifier, browser: tab }
  }

  t.test('by an app link: a code is returned, and exchanged for tokens', async t => {
    const { code, codeVerifier, browser: tab } = await codeFor('ada')
    t.match(code, /^[\w-]{43,}$/)
    t.strictSame(Object.keys(cookiesOf(tab)).filter(name => /access|session|refresh/.test(name)), [], 'the browser is not logged in by it')
    const login = await exchange({ code, codeVerifier })
    t.match(login, { status: 200, body: { user: { email: 'ada@example.com', emailVerified: true }, tokenType: 'Bearer', expiresIn: 600, accessToken: /\./, refreshToken: /\./ }, cookies: {} })
    t.equal(login.headers['cache-control'], 'no-store')
    t.match(await service.call('GET /auth/verify', { token: login.body.accessToken }), { status: 200, body: { credential: 'bearer' } })
    t.equal((await service.call('POST /auth/refresh', { json: { refreshToken: login.body.refreshToken } })).status, 200)
  })

  t.test('by a custom scheme: a page names the app, and the app gets nothing until the user confirms', async t => {
    const { codeVerifier, parameters } = createVerifier()
    const tab = browser()
    const { page } = await signIn(tab, 'google', { as: 'ada', redirectTo: APP_SCHEME, parameters })
    t.equal(page.status, 200, 'no redirect into an app')
    t.match(page.headers['content-type'], /^text\/html/)
    t.ok(page.text.includes('com.example.app'), 'it names the app')
    t.notMatch(page.text, /<script|http-equiv="?refresh/i, 'and goes on by nobody’s hand but the person’s')
    t.match(page.headers['content-security-policy'], /default-src 'none'/)
    t.match(page.headers['content-security-policy'], /frame-ancestors 'none'/)
    t.equal(page.headers['cache-control'], 'no-store')
    const link = /(?:href|action)="(com\.example\.app:[^"]*)"/.exec(page.text)?.[1]?.replaceAll('&amp;', '&') ?? ''
    const url = new URL(link)
    t.equal(`${url.protocol}${url.pathname}`, APP_SCHEME)
    t.match(await exchange({ code: url.searchParams.get('code'), codeVerifier }), { status: 200, body: { user: { email: 'ada@example.com' } } })
  })

  t.test('by a custom scheme: an error is returned by that page too', async t => {
    const { parameters } = createVerifier()
    const { page } = await signIn(browser(), 'google', { as: null, redirectTo: APP_SCHEME, parameters })
    t.ok(page.status === 200 ? page.text.includes('com.example.app:/signed-in?error=access_denied') : page.location?.href.startsWith(`${APP_SCHEME}?error=access_denied`))
  })

  t.test('an error is returned to the app link', async t => {
    const { parameters } = createVerifier()
    t.match(await signIn(browser(), 'google', { as: null, redirectTo: APP_LINK, parameters }), { at: APP_LINK, error: 'access_denied', code: null })
  })

  t.test('the code can be exchanged once', async t => {
    const { code, codeVerifier } = await codeFor('ada')
    t.equal((await exchange({ code, codeVerifier })).status, 200)
    for (let again = 0; again < 2; again++) isProblem(t, await service.call(EXCHANGE, { json: { code, codeVerifier } }), 'invalid_code')
  })

  t.test('of sixteen concurrent exchanges of one code, one succeeds', async t => {
    const { code, codeVerifier } = await codeFor('ada')
    const statuses = (await Promise.all(Array.from({ length: 16 }, () => exchange({ code, codeVerifier })))).map(({ status }) => status)
    t.strictSame(statuses.sort(), [200, ...Array.from({ length: 15 }, () => 401)])
  })

  t.test('the code is useless without its verifier', async t => {
    const { code } = await codeFor('ada')
    for (const codeVerifier of [createVerifier().codeVerifier, 'x'.repeat(43), 'x'.repeat(128)]) {
      isProblem(t, await service.call(EXCHANGE, { json: { code, codeVerifier } }), 'invalid_code', codeVerifier)
    }
  })

  t.test('a wrong verifier either leaves the code valid, or invalidates it for good', async t => {
    const { code, codeVerifier } = await codeFor('ada')
    isProblem(t, await service.call(EXCHANGE, { json: { code, codeVerifier: 'w'.repeat(43) } }), 'invalid_code')
    const { status } = await exchange({ code, codeVerifier })
    t.ok([200, 401].includes(status))
  })

  t.test('a verifier that RFC 7636 does not allow, or none, is refused', async t => {
    const { code, codeVerifier } = await codeFor('ada')
    const bad: Array<[field: string, json: unknown]> = [
      ['codeVerifier', { code }], ['codeVerifier', { code, codeVerifier: '' }], ['codeVerifier', { code, codeVerifier: 'x'.repeat(42) }], ['codeVerifier', { code, codeVerifier: 'x'.repeat(129) }],
      ['codeVerifier', { code, codeVerifier: `${'x'.repeat(42)}=` }], ['codeVerifier', { code, codeVerifier: 7 }], ['codeVerifier', { code, codeVerifier: null }],
      ['code', { codeVerifier }], ['code', { code: '', codeVerifier }], ['code', { code: ['x'], codeVerifier }]
    ]
    for (const [field, json] of bad) {
      const answer = await service.call(EXCHANGE, { json })
      isProblem(t, answer, 'validation_failed', JSON.stringify(json))
      t.strictSame(fieldsOf(answer), [field])
    }
    t.equal((await exchange({ code, codeVerifier })).status, 200, 'what was not even asked for is not used up')
  })

  t.test('the code expires after a minute', async t => {
    const { code, codeVerifier } = await codeFor('ada')
    await service.sql("UPDATE one_time_tokens SET expires_at = expires_at - interval '61 seconds'")
    isProblem(t, await service.call(EXCHANGE, { json: { code, codeVerifier } }), 'invalid_code')
    const fresh = await codeFor('ada')
    const [{ seconds = 0 } = {}] = await service.sql<{ seconds: number }>('SELECT extract(epoch FROM max(expires_at) - now())::float AS seconds FROM one_time_tokens WHERE expires_at < now() + interval \'2 minutes\'')
    t.ok(seconds > 50 && seconds <= 60, `${seconds} s`)
    await service.sql("UPDATE one_time_tokens SET expires_at = expires_at - interval '50 seconds'")
    t.equal((await exchange({ code: fresh.code, codeVerifier: fresh.codeVerifier })).status, 200, 'and not before')
  })

  t.test('the code is stored as a hash, and is in no log', async t => {
    const { code, codeVerifier } = await codeFor('ada')
    const rows = JSON.stringify(await service.sql('SELECT to_jsonb(one_time_tokens) AS row FROM one_time_tokens'))
    for (const text of [code, Buffer.from(code).toString('hex'), Buffer.from(code, 'base64url').toString('hex')]) t.notOk(rows.includes(text))
    await exchange({ code, codeVerifier })
    for (const secret of [code, codeVerifier]) t.notOk(service.logText().includes(secret))
  })

  t.test('a code that was never issued is refused', async t => {
    for (const code of ['x'.repeat(43), randomBytes(32).toString('base64url'), '../../../etc/passwd', "' OR 1=1 --", 'ü'.repeat(43)]) {
      const { status } = await exchange({ code, codeVerifier: createVerifier().codeVerifier })
      t.ok([401, 422].includes(status), `${code}: ${status}`)
    }
  })

  t.test('the provider\'s code is not a code of the service, nor a password', async t => {
    const { codeVerifier, parameters } = createVerifier()
    const tab = browser()
    const callback = await agree(tab, await startFlow(tab, 'google', { redirectTo: APP_LINK, parameters }), 'ada')
    isProblem(t, await service.call(EXCHANGE, { json: { code: callback.searchParams.get('code'), codeVerifier } }), 'invalid_code')
    t.match(await finishFlow(tab, callback), { error: null })
    const { code } = await codeFor('ada')
    t.equal((await service.call('GET /auth/verify', { token: code })).status, 401)
  })

  t.test('no code is issued without a challenge, or with another method than S256', async t => {
    const { parameters: { codeChallenge } } = createVerifier()
    const bad: Array<[what: string, redirectTo: string, parameters: Record<string, string>]> = [
      ['a scheme without a challenge', APP_SCHEME, {}],
      ['a method without a challenge', APP_LINK, { codeChallengeMethod: 'S256' }],
      ['plain', APP_LINK, { codeChallenge, codeChallengeMethod: 'plain' }],
      ['another case', APP_LINK, { codeChallenge, codeChallengeMethod: 's256' }],
      ['too short', APP_LINK, { codeChallenge: codeChallenge.slice(1), codeChallengeMethod: 'S256' }],
      ['too long', APP_LINK, { codeChallenge: `${codeChallenge}A`, codeChallengeMethod: 'S256' }],
      ['padded', APP_LINK, { codeChallenge: `${codeChallenge}=`, codeChallengeMethod: 'S256' }],
      ['empty', APP_LINK, { codeChallenge: '', codeChallengeMethod: 'S256' }]
    ]
    for (const [what, redirectTo, parameters] of bad) {
      isProblem(t, await service.call(`GET ${startUrl('google', { redirectTo, parameters })}`), 'validation_failed', what)
    }
  })

  t.test('the code is sent to its redirectTo, and to no other app', async t => {
    const { parameters } = createVerifier()
    for (const redirectTo of [APP, APP_LINK]) {
      const { at, code } = await signIn(browser(), 'github', { as: 'ada', redirectTo, parameters })
      t.strictSame({ at, given: code !== null }, { at: redirectTo, given: true })
    }
    const rows = await service.sql<{ row: string }>('SELECT to_jsonb(one_time_tokens)::text AS row FROM one_time_tokens')
    t.ok(rows.some(({ row }) => row.includes(APP_LINK)), 'and its row says which')
  })

  t.test('an account that is disabled meanwhile gets no session', async t => {
    google.accounts.set('soon-gone', { email: 'soon-gone@example.com', email_verified: true })
    const { code, codeVerifier } = await codeFor('soon-gone')
    await service.sql("UPDATE users SET disabled_at = now(), version = version + 1 WHERE email = 'soon-gone@example.com'")
    const { status, body } = await exchange({ code, codeVerifier })
    t.ok(status === 401 || status === 403, `${status} ${body.code}`)
  })

  t.test('sets cookies for a browser, after the CSRF check', async t => {
    const { code, codeVerifier } = await codeFor('ada')
    const foreign = await service.call(EXCHANGE, { json: { code, codeVerifier, deliver: 'cookie' }, headers: { 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' } })
    t.ok([403, 422].includes(foreign.status))
    t.strictSame(foreign.cookies, {})
  })
})
