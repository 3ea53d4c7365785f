import t from 'tap'
import { generateSecret } from '../../src/config/generated-secrets.ts'
import { ConfigurationError, countersign, type CountersignOptions } from '../../src/index.ts'
import { toEnvironment } from '../../src/plugin-options.ts'
import { temporaryDirectory } from '../support/database.ts'
import { bareHost, hostWithPlugin, pluginOptions } from './host.ts'

t.test('bad options are all reported at once, by the names of their variables', async t => {
  const app = bareHost(t)
  const dataDir = await temporaryDirectory(t)
  const failure = await failureOf(async () => await app.register(countersign, {
    dataDir,
    // @ts-expect-error no duration
    accessTokenTtl: 'soon',
    jwtSecrets: 'short',
    publicUrl: 'ftp://auth.example.com',
    allowedOrigins: ['https://app.example.com', '*'],
    hashConcurrency: 0
  }))
  t.ok(failure instanceof ConfigurationError)
  t.same((failure as ConfigurationError).problems.map(({ variable }) => variable).sort(), ['ACCESS_TOKEN_TTL', 'ALLOWED_ORIGINS', 'HASH_CONCURRENCY', 'JWT_SECRET', 'PUBLIC_URL'])
  t.notMatch((failure as ConfigurationError).message, /short"/, 'no secret is repeated')
})

t.test('an option that there is not is refused by name', async t => {
  const app = bareHost(t)
  const options = { ...await pluginOptions(t), acessTokenTtl: '5m' }
  await t.rejects(async () => await app.register(countersign, options), { message: 'Countersign has no option "acessTokenTtl"' })
})

t.test('an option goes before its variable, and a variable before what holds otherwise', async t => {
  withVariables(t, { ACCESS_TOKEN_TTL: '3m', JWT_AUDIENCE: 'shop', JWT_SECRET: generateSecret(), LOG_LEVEL: "the host's own", HOST: '', TRUST_PROXY: "the host's own" })
  const app = await hostWithPlugin(t, { accessTokenTtl: '2m' })
  const response = await app.inject({ method: 'POST', url: '/auth/register', payload: { email: 'ada@example.com', password: 'correct horse battery' } })
  const { expiresIn, accessToken } = response.json<{ expiresIn: number, accessToken: string }>()
  t.equal(expiresIn, 120)
  const claims = JSON.parse(Buffer.from(accessToken.split('.')[1] ?? '', 'base64url').toString()) as { aud: string }
  t.equal(claims.aud, 'shop')
})

t.test('the environment is read from process.env, from what the host says, or not at all', async t => {
  const variables = { PUBLIC_URL: 'https://process.example.com', ACCESS_TOKEN_TTL: '3m', OIDC_ACME_ISSUER: 'https://login.acme.example' }
  const read = (options: CountersignOptions) => toEnvironment(options, { ...variables, NODE_ENV: 'production', UV_THREADPOOL_SIZE: '8' })
  const ofProcess = { NODE_ENV: 'production', UV_THREADPOOL_SIZE: '8' }
  const given = (options: CountersignOptions) => Object.fromEntries(Object.entries(read(options)).filter(([, value]) => value !== undefined))

  t.strictSame(given({ accessTokenTtl: '2m' }), { ...variables, ...ofProcess, ACCESS_TOKEN_TTL: '2m' })
  t.strictSame(given({ environment: false, accessTokenTtl: '2m' }), { ...ofProcess, ACCESS_TOKEN_TTL: '2m' }, 'what is production stays so')
  t.strictSame(given({ environment: { PUBLIC_URL: 'https://own.example.com', JWT_AUDIENCE: 'shop', HOST: '::' }, audience: undefined }), { ...ofProcess, PUBLIC_URL: 'https://own.example.com', JWT_AUDIENCE: 'shop' })
  t.strictSame(given({ environment: { NODE_ENV: 'test', UV_THREADPOOL_SIZE: '1' } }), { NODE_ENV: 'test', UV_THREADPOOL_SIZE: '8' })

  withVariables(t, { ACCESS_TOKEN_TTL: '3m', JWT_AUDIENCE: '' })
  const app = await hostWithPlugin(t, { environment: false })
  const response = await app.inject({ method: 'POST', url: '/auth/register', payload: { email: 'ada@example.com', password: 'correct horse battery' } })
  t.equal(response.json<{ expiresIn: number }>().expiresIn, 600)
})

t.test('options come as numbers, booleans and lists too', async t => {
  const app = await hostWithPlugin(t, {
    publicUrl: 'https://auth.example.com',
    allowedOrigins: ['https://app.example.com', 'https://shop.example.com'],
    passwordMinLength: 20,
    allowEmbeddedDatabase: false
  } satisfies CountersignOptions)
  t.equal(app.countersign.cookieNames.access, '__Host-access')
  const weak = await app.inject({ method: 'POST', url: '/auth/register', payload: { email: 'ada@example.com', password: 'nineteen characters' } })
  t.equal(weak.json<{ code: string }>().code, 'weak_password')
  const payload = { email: 'ada@example.com', password: 'twenty characters or more', deliver: 'cookie' }
  const allowed = await app.inject({ method: 'POST', url: '/auth/register', payload, headers: { origin: 'https://shop.example.com', 'sec-fetch-site': 'cross-site' } })
  t.equal(allowed.statusCode, 201)
})

t.test('providers are options like others, and OpenID providers have one for them all', async t => {
  withVariables(t, { OIDC_ACME_ISSUER: 'https://login.acme.example', OIDC_ACME_CLIENT_ID: 'from the environment', OIDC_ACME_CLIENT_SECRET: 'secret of acme' })
  const app = await hostWithPlugin(t, {
    prefix: '/identity',
    publicUrl: 'https://auth.example.com',
    githubClientId: 'countersign',
    githubClientSecret: 'secret of github',
    githubScopes: ['read:user', 'user:email'],
    openIdProviders: { big_corp: { issuer: 'https://login.big.example', clientId: 'c', clientSecret: 's', label: 'Big Corp', trustEmail: true } }
  })
  const { items } = (await app.inject('/identity/auth/providers')).json<{ items: unknown }>()
  t.strictSame(items, [{ id: 'github', name: 'GitHub' }, { id: 'acme', name: 'Acme' }, { id: 'big_corp', name: 'Big Corp' }])

  const { statusCode, headers: { location } } = await app.inject('/identity/auth/providers/github')
  const { origin, searchParams } = new URL(String(location))
  t.strictSame([statusCode, origin, searchParams.get('scope')], [302, 'https://github.com', 'read:user user:email'])
  t.equal(searchParams.get('redirect_uri'), 'https://auth.example.com/identity/auth/providers/github/callback', 'the prefix stands before the callback too')
})

t.test('an OpenID provider has no options and no name but those that there are', async t => {
  const options = await pluginOptions(t)
  const register = (openIdProviders: Record<string, Record<string, string>>) => async () => await bareHost(t).register(countersign, { ...options, openIdProviders })
  await t.rejects(register({ acme: { isuer: 'https://login.acme.example' } }), { message: 'Countersign has no option "openIdProviders.acme.isuer"' })
  await t.rejects(register({ 'a/b': { issuer: 'https://login.acme.example' } }), { message: 'Invalid provider name "a/b"' })
  await t.rejects(register({ acme: { issuer: 'https://login.acme.example' } }), /OIDC_ACME_CLIENT_ID is required.*OIDC_ACME_CLIENT_SECRET is required/s)
})

function withVariables (t: { teardown (undo: () => void): unknown }, variables: Record<string, string>): void {
  const before = Object.fromEntries(Object.keys(variables).map(name => [name, process.env[name]]))
  Object.assign(process.env, variables)
  t.teardown(() => {
    for (const [name, value] of Object.entries(before)) {
      if (value === undefined) delete process.env[name]
      else process.env[name] = value
    }
  })
}

async function failureOf (attempt: () => Promise<unknown>): Promise<unknown> {
  try {
    await attempt()
  } catch (error) {
    return error
  }
  return undefined
}
