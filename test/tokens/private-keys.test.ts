import { createHash, createHmac, createPublicKey, generateKeyPairSync, sign, type JsonWebKey, type KeyObject } from 'node:crypto'
import jwt from 'jsonwebtoken'
import t from 'tap'
import { generateSecret } from '../../src/config/generated-secrets.ts'
import { claimsOf, headerOf } from '../support/oauth.ts'
import { isProblem } from '../support/problem.ts'
import { rsaKeyPair } from '../support/rsa-keys.ts'
import { startService, type TestService } from '../support/service.ts'

const pemOf = (key: KeyObject) => key.export({ format: 'pem', type: 'pkcs8' }).toString()
const KEYS = {
  EdDSA: generateKeyPairSync('ed25519'),
  ES256: generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  RS256: rsaKeyPair()
}
const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')

for (const [algorithm, { privateKey, publicKey }] of Object.entries(KEYS)) {
  t.test(`with ${algorithm}`, async t => {
    const service = await startService(t, { JWT_ALGORITHM: algorithm, JWT_PRIVATE_KEY: pemOf(privateKey), JWT_SECRET: '' })
    const { accessToken } = await service.person()
    const asks = (token: string) => service.call('GET /auth/verify', { token })

    t.test('tokens say so, under the thumbprint of the key (RFC 7638)', async t => {
      const { kty, crv, x, y, n, e } = publicKey.export({ format: 'jwk' })
      const members = kty === 'RSA' ? { e, kty, n } : kty === 'EC' ? { crv, kty, x, y } : { crv, kty, x }
      t.strictSame(headerOf(accessToken), { alg: algorithm, typ: 'at+jwt', kid: createHash('sha256').update(JSON.stringify(members)).digest('base64url') })
      t.equal((await asks(accessToken)).status, 200)
    })

    t.test('what the key itself signs is good here only with the service\'s seal', async t => {
      const text = `${accessToken.split('.')[0]}.${encode({ ...claimsOf(accessToken), role: 'admin' })}`
      const signature = sign(algorithm === 'EdDSA' ? null : 'sha256', Buffer.from(text), { key: privateKey, dsaEncoding: 'ieee-p1363' })
      isProblem(t, await asks(`${text}.${signature.toString('base64url')}`), 'invalid_token')
    })

    t.test('the public key is no shared secret', async t => {
      for (const key of [publicKey.export({ format: 'pem', type: 'spki' }).toString(), JSON.stringify(publicKey.export({ format: 'jwk' }))]) {
        for (const alg of ['HS256', algorithm, 'none']) {
          const text = `${encode({ ...headerOf(accessToken), alg })}.${accessToken.split('.')[1]}`
          for (const signature of [createHmac('sha256', key).update(text).digest('base64url'), '']) isProblem(t, await asks(`${text}.${signature}`), 'invalid_token', alg)
        }
      }
    })

    t.test('no JWT_SECRET is needed, and none verifies', t => {
      t.strictSame(service.config.jwtSecrets, [])
      t.end()
    })
  })
}

t.test('tokens go from a shared secret to a private key in three steps', async t => {
  const [shared, secret] = [generateSecret(), generateSecret()]
  const base = { COUNTERSIGN_SECRET: secret }
  const [next] = [pemOf(KEYS.EdDSA.privateKey)]
  const before = await startService(t, { ...base, JWT_SECRET: shared })
  const appended = await startService(t, { ...base, JWT_SECRET: shared, JWT_PRIVATE_KEY: next })
  const promoted = await startService(t, { ...base, JWT_SECRET: shared, JWT_PRIVATE_KEY: next, JWT_ALGORITHM: 'EdDSA' })
  const dropped = await startService(t, { ...base, JWT_PRIVATE_KEY: next, JWT_ALGORITHM: 'EdDSA', JWT_SECRET: '' })
  const tokenOf = async (service: TestService) => (await service.person()).accessToken
  const tokens = { before: await tokenOf(before), appended: await tokenOf(appended), promoted: await tokenOf(promoted), dropped: await tokenOf(dropped) }
  t.strictSame(Object.values(tokens).map(token => headerOf(token).alg), ['HS256', 'HS256', 'EdDSA', 'EdDSA'])
  const accepts = async (service: TestService) => Promise.all(Object.values(tokens).map(async token => (await service.call('GET /auth/verify', { token })).status))
  t.strictSame(await accepts(appended), [200, 200, 200, 200])
  t.strictSame(await accepts(promoted), [200, 200, 200, 200])
  t.strictSame(await accepts(dropped), [401, 401, 200, 200])
  t.match((await appended.call<object>('GET /.well-known/jwks.json')).body, { keys: [{ crv: 'Ed25519' }] }, 'it is served before it signs')
})

t.test('any JWT library verifies with the public key', async t => {
  const service = await startService(t, { JWT_ALGORITHM: 'RS256', JWT_PRIVATE_KEY: pemOf(KEYS.RS256.privateKey) })
  const { accessToken, user } = await service.person()
  const { body: { keys: [jwk = {}] } } = await service.call<{ keys: JsonWebKey[] }>('GET /.well-known/jwks.json')
  t.match(jwt.verify(accessToken, createPublicKey({ key: jwk, format: 'jwk' }), { algorithms: ['RS256'], audience: 'api' }), { sub: user.id })
})
