import t from 'tap'
import type { Browser } from '../../support/providers/browser.ts'
import { startFlow, cookiesOf, signIn, startUrl } from '../../support/providers/sign-in.ts'
import { APP, APP_LINK, OTHER_APP, PUBLIC_URL, startWorld } from '../../support/providers/world.ts'
import { isProblem } from '../../support/problem.ts'
import { startService } from '../../support/service.ts'

interface Profile { id: string, email: string, emailVerified: boolean, name: string | null }

t.test('signing in through a provider in a browser', async t => {
  const world = await startWorld(t)
  const { service, google, github, facebook, acme, browser } = world

  google.accounts.set('g-ada', { email: 'ada@gmail.example', email_verified: true, name: 'Ada Lovelace' })
  github.accounts.set('ada', { id: 583231, name: 'Ada at GitHub', email: null, emails: [{ email: 'ada@github.example', primary: true, verified: true, visibility: 'private' }] })
  facebook.accounts.set('10158001', { name: 'Ada at Facebook', email: 'ada@facebook.example' })
  acme.accounts.set('a-ada', { email: 'ada@acme.example', email_verified: true, name: 'Ada at Acme' })

  const people = [
    { provider: 'google', as: 'g-ada', email: 'ada@gmail.example', name: 'Ada Lovelace', isTrusted: true },
    { provider: 'github', as: 'ada', email: 'ada@github.example', name: 'Ada at GitHub', isTrusted: true },
    { provider: 'facebook', as: '10158001', email: 'ada@facebook.example', name: 'Ada at Facebook', isTrusted: false },
    { provider: 'acme', as: 'a-ada', email: 'ada@acme.example', name: 'Ada at Acme', isTrusted: false }
  ] as const

  const profileIn = async (somebody: Browser) => service.call<Profile>('GET /auth/me', { cookies: cookiesOf(somebody) })

  t.test('the configured providers are public', async t => {
    const { status, body } = await service.call<{ items: Array<{ id: string, name: string }> }>('GET /auth/providers')
    t.equal(status, 200)
    t.strictSame(body.items.map(({ id }) => id).sort(), ['acme', 'facebook', 'github', 'google'])
    t.strictSame(body.items.filter(({ id }) => id.startsWith('g')).sort((a, b) => a.id < b.id ? -1 : 1), [{ id: 'github', name: 'GitHub' }, { id: 'google', name: 'Google' }])
    for (const item of body.items) t.strictSame(Object.keys(item).sort(), ['id', 'name'], 'and nothing of their secrets')
  })

  for (const { provider, as, email, name, isTrusted } of people) {
    t.test(`${provider}: the first sign-in creates an account, and later ones find it`, async t => {
      const [first, second] = [browser(), browser()]
      t.match(await signIn(first, provider, { as }), { at: APP, error: null, code: null, page: { status: 302 } })
      const made = await profileIn(first)
      t.equal(made.status, 200)
      t.match(made.body, { email, name, emailVerified: isTrusted })

      t.match(await signIn(second, provider, { as, redirectTo: OTHER_APP }), { at: OTHER_APP, error: null })
      t.equal((await profileIn(second)).body.id, made.body.id)
      t.equal((await service.sql('SELECT 1 FROM users WHERE email = $1', email)).length, 1)
    })

    t.test(`${provider}: declining redirects with access_denied`, async t => {
      const somebody = browser()
      t.match(await signIn(somebody, provider, { as: null }), { at: APP, error: 'access_denied', code: null })
      t.equal((await profileIn(somebody)).status, 401)
    })

    t.test(`${provider}: the authorization request has PKCE, state and the provider's own redirect URI`, async t => {
      const [url, another] = [await startFlow(browser(), provider), await startFlow(browser(), provider)]
      const asked = Object.fromEntries(url.searchParams)
      t.match(asked, { response_type: 'code', code_challenge_method: 'S256', code_challenge: /^[\w-]{43}$/, state: /^[\w-]{43,}$/, redirect_uri: `${PUBLIC_URL}/auth/providers/${provider}/callback` })
      if (provider === 'google' || provider === 'acme') t.match(asked.nonce, /^[\w-]{43,}$/)
      for (const name of ['state', 'code_challenge', 'nonce'] as const) {
        if (asked[name] !== undefined) t.not(asked[name], another.searchParams.get(name), `another ${name} each time`)
      }
      for (const name of ['client_secret', 'code_verifier']) t.notOk(url.searchParams.has(name), name)
    })
  }

  t.test('sets two cookies with tokens, or one with an opaque id, as requested', async t => {
    const [stateless, stateful] = [browser(), browser()]
    await signIn(stateless, 'google', { as: 'g-ada', deliver: 'cookie' })
    await signIn(stateful, 'google', { as: 'g-ada', deliver: 'session' })
    t.strictSame(Object.keys(cookiesOf(stateless)).sort(), ['__Host-access', '__Host-device', '__Host-refresh'])
    t.strictSame(Object.keys(cookiesOf(stateful)).sort(), ['__Host-device', '__Host-session'])
    for (const [somebody, credential] of [[stateless, 'cookie'], [stateful, 'session']] as const) {
      t.match(await service.call('GET /auth/verify', { cookies: cookiesOf(somebody) }), { status: 200, body: { email: 'ada@gmail.example', emailVerified: true, credential } })
      for (const name of Object.keys(cookiesOf(somebody))) {
        t.strictSame([...somebody.jar.attributesOf('auth.example.com', name)].filter(text => !text.startsWith('Max-Age=')).sort(), ['HttpOnly', 'Path=/', 'SameSite=Lax', 'Secure'], name)
      }
    }
  })

  t.test('puts no token into a URL, and forbids caching', async t => {
    const somebody = browser()
    const { page } = await signIn(somebody, 'google', { as: 'g-ada' })
    t.equal(page.location?.href, APP)
    t.equal(page.headers['cache-control'], 'no-store')
    t.match(page.headers['referrer-policy'], /no-referrer/)
    t.equal((await somebody.visit(startUrl('google'))).headers['cache-control'], 'no-store')
  })

  t.test('a cookie session opened with a provider can be refreshed', async t => {
    const somebody = browser()
    await signIn(somebody, 'github', { as: 'ada' })
    const { status } = await somebody.visit('/auth/refresh', { method: 'POST', site: 'same-origin' })
    t.equal(status, 200)
    t.equal((await profileIn(somebody)).status, 200)
  })

  t.test('builds its URLs from PUBLIC_URL, whatever the Host header is', async t => {
    const page = await browser().visit(startUrl('google'), { headers: { host: 'evil.example', 'x-forwarded-host': 'evil.example', forwarded: 'host=evil.example' } })
    t.equal(page.location?.searchParams.get('redirect_uri'), `${PUBLIC_URL}/auth/providers/google/callback`)
  })

  t.test('is in the audit trail, with its provider and without a secret', async t => {
    const somebody = browser()
    await signIn(somebody, 'google', { as: 'g-ada' })
    const { id } = (await profileIn(somebody)).body
    const [event] = await service.sql<{ outcome: string, detail: unknown }>("SELECT outcome, detail FROM audit_events WHERE subject_id = $1::uuid AND action = 'login' ORDER BY at DESC, id DESC LIMIT 1", id)
    t.match(event, { outcome: 'success', detail: { provider: 'google' } })
  })

  t.test('an unknown provider, or one that is not configured, is not found', async t => {
    const bare = await startService(t, { ALLOWED_REDIRECTS: APP_LINK })
    for (const target of ['GET /auth/providers/nobody?redirectTo=x', 'GET /auth/providers/__proto__', 'GET /auth/providers/constructor', 'GET /auth/providers/GOOGLE', 'GET /auth/providers/nobody/callback?code=x&state=y']) {
      isProblem(t, await service.call(target), 'not_found', target)
    }
    t.strictSame((await bare.call('GET /auth/providers')).body, { items: [] })
    for (const provider of ['google', 'github', 'facebook', 'acme']) {
      isProblem(t, await bare.call(`GET ${startUrl(provider)}`), 'not_found', provider)
      isProblem(t, await bare.call(`GET /auth/providers/${provider}/callback?code=x&state=y`), 'not_found', provider)
      isProblem(t, await bare.call(`POST /auth/providers/${provider}/token`, { json: { idToken: 'x.y.z', nonce: 'n'.repeat(22) } }), 'not_found', provider)
    }
  })
})
