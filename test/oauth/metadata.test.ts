import { generateKeyPairSync } from 'node:crypto'
import t from 'tap'
import { rsaKeyPair } from '../support/rsa-keys.ts'
import { startService } from '../support/service.ts'

t.test('the metadata has the address of every endpoint (RFC 8414)', async t => {
  const { call } = await startService(t, { PUBLIC_URL: 'https://auth.example.com/', JWT_ISSUER: 'https://id.example.com' })
  const { status, headers, body } = await call<object>('GET /.well-known/oauth-authorization-server')
  t.equal(status, 200)
  t.match(headers, { 'content-type': /^application\/json/, 'cache-control': 'public, max-age=3600' })
  const methods = ['client_secret_basic', 'client_secret_post']
  t.strictSame(body, {
    issuer: 'https://id.example.com',
    token_endpoint: 'https://auth.example.com/oauth/token',
    introspection_endpoint: 'https://auth.example.com/oauth/introspect',
    revocation_endpoint: 'https://auth.example.com/oauth/revoke',
    jwks_uri: 'https://auth.example.com/.well-known/jwks.json',
    response_types_supported: [],
    grant_types_supported: ['client_credentials'],
    scopes_supported: ['introspect', 'revocations:read', 'sessions:revoke', 'clients:forward'],
    token_endpoint_auth_methods_supported: methods,
    introspection_endpoint_auth_methods_supported: methods,
    revocation_endpoint_auth_methods_supported: methods
  })
})

t.test('the JWKS never contains a shared secret', async t => {
  const { call, config } = await startService(t)
  const { status, headers, body, text } = await call<{ keys: object[] }>('GET /.well-known/jwks.json')
  t.equal(status, 200)
  t.match(headers, { 'content-type': /^application\/json/, 'cache-control': 'public, max-age=300' })
  t.strictSame(body, { keys: [] })
  for (const secret of [...config.jwtSecrets, ...config.secrets]) t.notOk(text.includes(secret))
})

t.test('the JWKS contains every public key, and nothing private', async t => {
  const ring = [
    generateKeyPairSync('ed25519'), generateKeyPairSync('ec', { namedCurve: 'P-256' }), rsaKeyPair()
  ].map(({ privateKey }) => privateKey)
  const { call } = await startService(t, { JWT_ALGORITHM: 'EdDSA', JWT_PRIVATE_KEY: ring.map(key => key.export({ format: 'pem', type: 'pkcs8' })).join('') })
  const { body: { keys } } = await call<{ keys: Array<Record<string, string>> }>('GET /.well-known/jwks.json')
  t.match(keys, [
    { kty: 'OKP', crv: 'Ed25519', alg: 'EdDSA', use: 'sig', kid: /^[\w-]{43}$/ },
    { kty: 'EC', crv: 'P-256', alg: 'ES256', use: 'sig', kid: /^[\w-]{43}$/ },
    { kty: 'RSA', alg: 'RS256', use: 'sig', kid: /^[\w-]{43}$/ }
  ])
  t.equal(new Set(keys.map(({ kid }) => kid)).size, 3)
  for (const key of keys) for (const part of ['d', 'p', 'q', 'dp', 'dq', 'qi', 'k']) t.notOk(part in key, `${key.kty} ${part}`)
})
