import t from 'tap'
import { ConfigurationError, readConfig, type Environment } from '../../src/config.ts'
import { generateSecret } from '../../src/config/generated-secrets.ts'

const SECRETS = { COUNTERSIGN_SECRET: generateSecret(), JWT_SECRET: generateSecret() }
const ACME = { OIDC_ACME_ISSUER: 'https://login.acme.example', OIDC_ACME_CLIENT_ID: 'countersign', OIDC_ACME_CLIENT_SECRET: 'secret of acme' }

function problemsOf (environment: Environment): Record<string, string> {
  try {
    readConfig({ ...SECRETS, ...environment })
    return {}
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error
    return Object.fromEntries(error.problems.map(({ variable, problem }) => [variable, problem]))
  }
}

const providersOf = (environment: Environment) => readConfig({ ...SECRETS, ...environment }).providers

t.test('without a variable there is no provider', async t => {
  t.strictSame(providersOf({}), [])
  t.strictSame(providersOf({ GOOGLE_CLIENT_ID: '', GOOGLE_CLIENT_SECRET: '', OIDC_ACME_ISSUER: '' }), [])
})

t.test('a client id and a secret are enough for those that are known by name', async t => {
  const names = ['google', 'github', 'facebook']
  const environment = Object.fromEntries(names.flatMap(name => [[`${name.toUpperCase()}_CLIENT_ID`, `id at ${name}`], [`${name.toUpperCase()}_CLIENT_SECRET`, `secret of ${name}`]]))
  const providers = providersOf(environment)
  t.strictSame(providers.map(({ id }) => id), names)
  for (const { id, clientId, clientSecret, keepTokens } of providers) t.strictSame({ clientId, clientSecret, keepTokens }, { clientId: `id at ${id}`, clientSecret: `secret of ${id}`, keepTokens: false })
  t.match(providers[0], { issuer: 'https://accounts.google.com', scopes: ['openid', 'email', 'profile'], nativeClientIds: [], trustEmail: true })
  t.match(providers[1], { baseUrl: 'https://github.com', apiUrl: 'https://api.github.com' })
  t.match(providers[2], { baseUrl: 'https://www.facebook.com', graphUrl: 'https://graph.facebook.com' })
})

t.test('half a configuration names the other half', async t => {
  for (const NAME of ['GOOGLE', 'GITHUB', 'FACEBOOK']) {
    t.match(problemsOf({ [`${NAME}_CLIENT_ID`]: 'x' }), { [`${NAME}_CLIENT_SECRET`]: `is required beside ${NAME}_CLIENT_ID` })
    t.match(problemsOf({ [`${NAME}_CLIENT_SECRET`]: 'x' }), { [`${NAME}_CLIENT_ID`]: `is required beside ${NAME}_CLIENT_SECRET` })
  }
  for (const variable of Object.keys(ACME)) t.strictSame(problemsOf({ ...ACME, [variable]: '' }), { [variable]: 'is required of the provider acme' })
  t.strictSame(Object.keys(problemsOf({ OIDC_ACME_SCOPES: 'openid' })).sort(), Object.keys(ACME).sort())
})

t.test('any OpenID provider is known by its name in lower case, and as many as there are', async t => {
  const providers = providersOf({
    ...ACME,
    OIDC_BIG_CORP_2_ISSUER: 'https://sso.big.example/realms/a',
    OIDC_BIG_CORP_2_CLIENT_ID: 'c',
    OIDC_BIG_CORP_2_CLIENT_SECRET: 's',
    OIDC_BIG_CORP_2_LABEL: 'Big Corp',
    OIDC_BIG_CORP_2_SCOPES: 'openid email groups',
    OIDC_BIG_CORP_2_TRUST_EMAIL: 'true',
    OIDC_BIG_CORP_2_KEEP_TOKENS: 'true',
    OIDC_BIG_CORP_2_NATIVE_CLIENT_IDS: 'ios, android'
  })
  t.strictSame(providers, [
    { kind: 'openid', id: 'acme', label: 'Acme', issuer: ACME.OIDC_ACME_ISSUER, clientId: 'countersign', clientSecret: 'secret of acme', scopes: ['openid', 'email', 'profile'], trustEmail: false, keepTokens: false, nativeClientIds: [] },
    { kind: 'openid', id: 'big_corp_2', label: 'Big Corp', issuer: 'https://sso.big.example/realms/a', clientId: 'c', clientSecret: 's', scopes: ['openid', 'email', 'groups'], trustEmail: true, keepTokens: true, nativeClientIds: ['ios', 'android'] }
  ])
})

t.test('what is wrong with one is said by the names of its own variables', async t => {
  t.match(problemsOf({ ...ACME, OIDC_ACME_ISSUER: 'http://login.acme.example', OIDC_ACME_TRUST_EMAIL: 'yes', OIDC_ACME_SCOPES: 'email' }), {
    OIDC_ACME_ISSUER: /https:/, OIDC_ACME_TRUST_EMAIL: /true, false/, OIDC_ACME_SCOPES: /openid/
  })
  t.match(problemsOf({ OIDC_GOOGLE_ISSUER: 'https://accounts.google.com', OIDC_GOOGLE_CLIENT_ID: 'c', OIDC_GOOGLE_CLIENT_SECRET: 's' }), { OIDC_GOOGLE_ISSUER: /GOOGLE_CLIENT_ID/ })
  t.match(problemsOf({ GOOGLE_CLIENT_ID: 'c', GOOGLE_CLIENT_SECRET: 's', GOOGLE_SCOPES: 'email' }), { GOOGLE_SCOPES: /openid/ })
})

t.test('no problem repeats a secret', async t => {
  const problems = problemsOf({ ...ACME, OIDC_ACME_CLIENT_SECRET: 'hunter2', OIDC_ACME_CLIENT_ID: '', FACEBOOK_CLIENT_SECRET: 'hunter3', OIDC_ACME_ISSUER: 'https://user:hunter4@login.acme.example' })
  t.strictSame(Object.keys(problems).sort(), ['FACEBOOK_CLIENT_ID', 'OIDC_ACME_CLIENT_ID', 'OIDC_ACME_ISSUER'])
  t.notMatch(JSON.stringify(problems), /hunter/)
})

t.test('plain http is for providers on this machine alone', async t => {
  for (const host of ['127.0.0.1:4000', 'localhost', '[::1]:4000', '127.9.9.9']) t.strictSame(problemsOf({ ...ACME, OIDC_ACME_ISSUER: `http://${host}` }), {}, host)
  for (const host of ['10.0.0.1', 'localhost.example.com', '127.0.0.1.example.com', '0.0.0.0', '[::2]']) t.strictSame(Object.keys(problemsOf({ ...ACME, OIDC_ACME_ISSUER: `http://${host}` })), ['OIDC_ACME_ISSUER'], host)
  for (const variable of ['GOOGLE_ISSUER', 'GITHUB_BASE_URL', 'GITHUB_API_URL', 'FACEBOOK_BASE_URL', 'FACEBOOK_GRAPH_URL']) t.strictSame(Object.keys(problemsOf({ [variable]: 'http://example.com' })), [variable])
})

t.test('people are sent back to PUBLIC_URL unless something else is allowed', async t => {
  t.strictSame(readConfig({ ...SECRETS, PUBLIC_URL: 'https://auth.example.com' }).allowedRedirects, ['https://auth.example.com/'])
  const given = ['https://app.example.com/welcome?tab=1', 'com.example.app:/callback', 'example-app://signed-in', 'http://localhost:5173/']
  t.strictSame(readConfig({ ...SECRETS, ALLOWED_REDIRECTS: given.join(', ') }).allowedRedirects, given)
})

t.test('what could send people somewhere else, or run, is never allowed', async t => {
  for (const target of ['/welcome', '//app.example.com', 'https://*.example.com/', 'https://app.example.com/#part', 'https://app.example.com/#', 'https://user@app.example.com/', 'javascript:alert(1)', 'JavaScript:alert(1)', 'data:text/html,hi', 'vbscript:x', 'file:///etc/passwd', 'blob:https://app.example.com/1', 'https://app.example.com/a b', 'https://app.example.com\\@evil.example', 'null', 'app']) {
    t.strictSame(Object.keys(problemsOf({ ALLOWED_REDIRECTS: target })), ['ALLOWED_REDIRECTS'], target)
  }
})

t.test('two providers of one issuer would share their identities', async t => {
  const second = { OIDC_ZETA_ISSUER: `${ACME.OIDC_ACME_ISSUER}/`, OIDC_ZETA_CLIENT_ID: 'c', OIDC_ZETA_CLIENT_SECRET: 's' }
  t.match(problemsOf({ ...ACME, ...second }), { OIDC_ZETA_ISSUER: 'is the issuer of acme too' })
  t.match(problemsOf({ GOOGLE_CLIENT_ID: 'c', GOOGLE_CLIENT_SECRET: 's', ...ACME, OIDC_ACME_ISSUER: 'https://accounts.google.com' }), { OIDC_ACME_ISSUER: 'is the issuer of google too' })
})

t.test('a target that is too long for a redirect is refused at the start', async t => {
  const target = (length: number) => 'https://app.example.com/'.padEnd(length, 'x')
  t.strictSame(problemsOf({ ALLOWED_REDIRECTS: target(512) }), {})
  t.match(problemsOf({ ALLOWED_REDIRECTS: `https://app.example.com/welcome,${target(513)}` }), { ALLOWED_REDIRECTS: /512/ })
})
