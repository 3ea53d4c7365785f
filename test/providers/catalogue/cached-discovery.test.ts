import t from 'tap'
import { createBrowser, type Browser } from '../../support/providers/browser.ts'
import { createSigningKey, toPublicJwk, writeIdToken } from '../../support/providers/id-token.ts'
import { pathOf, sendJson, startProviderServer } from '../../support/providers/provider-server.ts'
import { startFlow, cookiesOf, outcomeOf, signIn, startUrl, type SignInOutcome } from '../../support/providers/sign-in.ts'
import { APP, PUBLIC_URL, startWorld } from '../../support/providers/world.ts'
import { startService } from '../../support/service.ts'

const DISCOVERY = '/.well-known/openid-configuration'

/** A path on the loopback that must not be requested. */
const INSIDE = '/inside'

/** How each issuer's metadata differs from valid metadata. */
const DOCUMENTS: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  good: {},
  'another issuer': { issuer: 'https://accounts.example' },
  'an issuer that begins alike': { issuer: 'http://127.0.0.1' },
  'no issuer': { issuer: undefined },
  'no token endpoint': { token_endpoint: undefined },
  'no keys': { jwks_uri: undefined },
  'a token endpoint that is a list': { token_endpoint: ['https://accounts.example/token'] },
  ...Object.fromEntries(['token_endpoint', 'jwks_uri'].flatMap(endpoint => [
    'http://169.254.169.254/latest/meta-data/', 'http://10.0.0.1/token', 'http://accounts.example/token', 'file:///etc/passwd',
    'gopher://127.0.0.1:6379/_FLUSHALL', 'data:application/json,{}', 'nonsense', ''
  ].map(url => [`${endpoint} ${url}`, { [endpoint]: url }]))),
  ...Object.fromEntries(['javascript:alert(1)', 'data:text/html,x', 'nonsense'].map(url =>
    [`authorization_endpoint ${url}`, { authorization_endpoint: url }]))
}

t.test('discovery', async t => {
  const key = createSigningKey('liar')
  const nonces = new Map<string, string>()
  const names = Object.keys(DOCUMENTS)
  const liar = await startProviderServer(t, origin => (request, response) => {
    const path = pathOf(request)
    const [, issuerPath = '', rest = ''] = /^(\/issuer-\d+)(\/.*)$/.exec(path) ?? []
    const issuer = origin + issuerPath
    if (rest === DISCOVERY) {
      return sendJson(response, {
        issuer,
        authorization_endpoint: `${issuer}/authorize`,
        token_endpoint: `${issuer}/token`,
        jwks_uri: `${issuer}/jwks`,
        response_types_supported: ['code'],
        subject_types_supported: ['public'],
        id_token_signing_alg_values_supported: ['RS256'],
        ...DOCUMENTS[names[Number(issuerPath.slice(8))] ?? '']
      })
    }
    if (rest === '/jwks') return sendJson(response, { keys: [toPublicJwk(key)] })
    const now = Math.floor(Date.now() / 1000)
    const claims = { iss: issuer, aud: 'countersign', sub: 'ada', email: 'ada@liar.example', nonce: nonces.get(issuer), iat: now, exp: now + 600 }
    if (rest === '/token') return sendJson(response, { access_token: 'x', token_type: 'bearer', id_token: writeIdToken({ claims, key }) })
    sendJson(response, {}, 404)
  })

  const settings = Object.fromEntries(names.flatMap((_, n) => [
    [`OIDC_LIAR${n}_ISSUER`, `${liar.origin}/issuer-${n}`], [`OIDC_LIAR${n}_CLIENT_ID`, 'countersign'], [`OIDC_LIAR${n}_CLIENT_SECRET`, 'a secret that the provider gave']
  ]))
  const service = await startService(t, { PUBLIC_URL, ALLOWED_REDIRECTS: APP, ...settings })

  /** The flow of a browser with a provider that returns a code without asking. */
  async function signInAt (name: string): Promise<SignInOutcome & { isLoggedIn: boolean, ms: number }> {
    const provider = `liar${names.indexOf(name)}`
    const issuer = `${liar.origin}/issuer-${names.indexOf(name)}`
    const browser = createBrowser(service)
    const began = performance.now()
    let page = await browser.visit(startUrl(provider))
    if (page.location !== undefined && page.location.origin !== new URL(APP).origin) {
      const asked = page.location.searchParams
      nonces.set(issuer, asked.get('nonce') ?? '')
      page = await browser.visit(`/auth/providers/${provider}/callback?${new URLSearchParams({ code: 'x', state: asked.get('state') ?? '', iss: issuer })}`, { site: 'cross-site' })
    }
    return { ...outcomeOf(page), isLoggedIn: '__Host-access' in cookiesOf(browser), ms: performance.now() - began }
  }

  t.test('of an honest provider works', async t => {
    t.match(await signInAt('good'), { at: APP, error: null, isLoggedIn: true })
  })

  for (const name of names.slice(1)) {
    t.test(`that says ${name} is refused at once`, async t => {
      const { at, error, isLoggedIn, ms } = await signInAt(name)
      t.strictSame({ at, isLoggedIn }, { at: APP, isLoggedIn: false })
      t.match(error, /^provider_(error|unavailable)$/)
      t.ok(ms < 4000, `${Math.round(ms)} ms: nothing is asked that does not answer`)
    })
  }
})

t.test('discovery that fails at first', async t => {
  const { acme, github, browser } = await startWorld(t)
  acme.accounts.set('ada', { email: 'ada@acme.example' })

  t.test('by a redirect is not followed', async t => {
    acme.alter(t, DISCOVERY, reply => ({ ...reply, status: 302, headers: { location: `${github.origin}${INSIDE}` }, body: '' }))
    const { location, status } = await browser().visit(startUrl('acme'))
    t.equal(status, 302)
    t.match(location?.searchParams.get('error'), /^provider_(error|unavailable)$/)
    t.notOk(github.asked.some(({ path }) => path === INSIDE))
  })

  t.test('of an unavailable provider redirects with an error', async t => {
    await acme.takeDown(t)
    t.match(outcomeOf(await browser().visit(startUrl('acme'))), { at: APP, error: 'provider_unavailable' })
  })

  t.test('stores no flow, and evicts none of another tab', async t => {
    const flowsOf = (somebody: Browser) => Object.keys(cookiesOf(somebody)).filter(name => name.includes('flow-'))
    const somebody = browser()
    for (let tab = 0; tab < 5; tab++) await startFlow(somebody, 'github')
    const before = flowsOf(somebody)
    await acme.takeDown(t)
    t.match(outcomeOf(await somebody.visit(startUrl('acme'))), { at: APP, error: 'provider_unavailable' })
    t.strictSame(flowsOf(somebody), before)
  })

  t.test('is tried again, and succeeds', async t => {
    t.match(await signIn(browser(), 'acme', { as: 'ada' }), { at: APP, error: null })
  })
})
