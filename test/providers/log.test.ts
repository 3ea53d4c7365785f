import { createHash, randomBytes } from 'node:crypto'
import t from 'tap'
import type { Browser } from '../support/providers/browser.ts'
import { agree, startFlow, finishFlow, cookiesOf } from '../support/providers/sign-in.ts'
import { APP, APP_LINK, startWorld } from '../support/providers/world.ts'
import { present } from '../support/presence.ts'

t.test('the log of signing in with providers', async t => {
  const { service, google, github, facebook, acme, browser } = await startWorld(t, { LOG_LEVEL: 'trace', GOOGLE_KEEP_TOKENS: 'true', OIDC_ACME_KEEP_TOKENS: 'true', GITHUB_KEEP_TOKENS: 'true' })
  google.accounts.set('ada', { email: 'ada@example.com', email_verified: true })
  acme.accounts.set('ada', { email: 'ada@acme.example' })
  github.accounts.set('ada', { id: 3, emails: [{ email: 'ada@github.example', primary: true, verified: true }] })
  facebook.accounts.set('ada', { name: 'Ada', email: 'ada@facebook.example' })
  const secrets = new Map<string, string>([['the client secret', 'a secret that the provider gave']])
  const addSecret = (what: string, secret: string | null | undefined) => { if (secret) secrets.set(`${secrets.size} ${what}`, secret) }

  function addSecretsOf (what: string, url: URL, somebody: Browser): void {
    for (const name of ['code', 'state', 'nonce', 'code_challenge']) addSecret(`${what}: ${name}`, url.searchParams.get(name))
    for (const [name, value] of Object.entries(cookiesOf(somebody))) addSecret(`${what}: cookie ${name}`, value)
  }

  async function signInAloud (provider: string, as: string | null, how: Parameters<typeof startFlow>[2] = {}) {
    const somebody = browser()
    const url = await startFlow(somebody, provider, how)
    addSecretsOf(provider, url, somebody)
    const callback = await agree(somebody, url, as)
    addSecretsOf(provider, callback, somebody)
    const outcome = await finishFlow(somebody, callback)
    addSecretsOf(provider, callback, somebody)
    addSecret('our code', outcome.code)
    return { somebody, callback, outcome }
  }

  t.test('contains no code, state, nonce, token, cookie or secret, in success and failure', async t => {
    for (const provider of ['google', 'github', 'facebook', 'acme']) {
      const { somebody, callback } = await signInAloud(provider, 'ada')
      await finishFlow(somebody, callback)
      await finishFlow(browser(), callback)
      await signInAloud(provider, null)
      const { body: { items } } = await service.call<{ items: Array<{ id: string }> }>('GET /auth/identities', { cookies: cookiesOf(somebody) })
      const { body } = await service.call<{ accessToken?: string }>(`GET /auth/identities/${items[0]?.id}/token`, { cookies: cookiesOf(somebody) })
      addSecret(`${provider}: access token`, body.accessToken)
    }

    const codeVerifier = randomBytes(32).toString('base64url')
    const parameters = { codeChallenge: createHash('sha256').update(codeVerifier).digest('base64url'), codeChallengeMethod: 'S256' }
    const { outcome: { code } } = await signInAloud('google', 'ada', { redirectTo: APP_LINK, parameters })
    addSecret('verifier', codeVerifier)
    for (let time = 0; time < 2; time++) await service.call('POST /auth/providers/exchange', { json: { code, codeVerifier } })

    const nonce = randomBytes(16).toString('base64url')
    const idToken = google.idToken({ claims: { aud: 'ios-app', sub: 'ada', email: 'ada@example.com', email_verified: true, nonce: createHash('sha256').update(nonce).digest('base64url') } })
    addSecret('ID token', idToken)
    addSecret('its signature', idToken.split('.')[2])
    addSecret('its nonce', nonce)
    for (let time = 0; time < 2; time++) await service.call('POST /auth/providers/google/token', { json: { idToken, nonce } })

    const person = await service.person()
    addSecret('refresh token', person.refreshToken)
    await service.call('POST /auth/identities/link', present(person, { provider: 'google', redirectTo: APP }))

    for (const { provider, path } of [{ provider: google, path: '/token' }, { provider: acme, path: '/me' }] as const) {
      const canary = randomBytes(12).toString('hex')
      await t.test('an answer that is refused', async t => {
        provider.alter(t, path, reply => ({ ...reply, status: 400, body: JSON.stringify({ error: 'invalid_request', error_description: canary, access_token: canary, [canary]: canary }) }))
        t.match((await signInAloud(provider === google ? 'google' : 'acme', 'ada')).outcome, { error: 'provider_error' })
      })
      addSecret('what the provider said besides', canary)
    }

    const text = service.logText()
    t.ok(secrets.size > 60, `${secrets.size} secrets`)
    t.strictSame([...secrets].filter(([, secret]) => text.includes(secret) || text.includes(encodeURIComponent(secret))).map(([what]) => what), [])
  })

  t.test('contains the cause of a refused sign-in', async t => {
    google.forge(t, { claims: { aud: 'somebody-else' } })
    const before = service.log.length
    t.match((await signInAloud('google', 'ada')).outcome, { error: 'provider_error' })
    t.ok(service.log.slice(before).some(({ level, err }) => level >= 40 && /aud/.test(JSON.stringify(err))), JSON.stringify(service.log.slice(before)))
  })
})
