import { randomBytes } from 'node:crypto'
import Fastify from 'fastify'
import fc from 'fast-check'
import t, { type Test } from 'tap'
import { createAccessTokenMint, type TokenSubject } from '../../src/tokens/mint-access-token.ts'
import { deriveKeyRing } from '../../src/tokens/derived-keys.ts'
import { registerJwtSigner } from '../../src/tokens/jwt-signer.ts'
import { createSeal } from '../../src/tokens/seal.ts'
import { InvalidToken } from 'countersign-verifier'
import { createHmacKey, createTokenVerifier } from 'countersign-verifier/internal'

const NOW = 1_800_000_000.75
const ISSUER = 'https://auth.example.com'
const ADA: TokenSubject = { id: '0198c5a4-6f5e-7a6b-9d3f-2f6a3b1c4d5e', email: 'ada@example.com', emailVerified: true, role: 'user', version: 7 }

/** The service's own way to a token, and a verifier that asks for its seal. */
async function world (t: Test) {
  const secret = randomBytes(48).toString('base64url')
  const key = createHmacKey(secret, ISSUER, 'api')
  const seal = createSeal(deriveKeyRing([randomBytes(48).toString('base64url')], 'seal').map(({ bytes }) => bytes))
  const app = Fastify()
  t.teardown(() => app.close())
  const { sign } = await registerJwtSigner(app, { alg: 'HS256', secret, kid: key.kid })
  const mint = createAccessTokenMint({ sign, seal, issuer: ISSUER, audience: 'api', ttl: 600 })
  const verifier = createTokenVerifier({ issuer: ISSUER, audience: 'api', keys: [key], isSealed: seal.isSealed, clock: () => NOW * 1000 })
  return { secret, key, mint, verifier }
}

t.test('what the service mints, it knows again', async t => {
  const { key, mint, verifier } = await world(t)
  const { accessToken, expiresIn } = mint({ subject: ADA, sessionId: 'session', now: NOW, sessionEnds: NOW + 86400 })
  t.equal(expiresIn, 600)
  t.ok(accessToken.startsWith(key.header), 'under the header that is recognised as it stands')
  t.match(verifier.verify(accessToken), {
    id: ADA.id,
    email: ADA.email,
    emailVerified: true,
    role: 'user',
    sessionId: 'session',
    clientId: 'countersign',
    issuedAt: '2027-01-15T08:00:00.000Z',
    expiresAt: '2027-01-15T08:10:00.000Z'
  })
})

t.test('no token outlives its session', async t => {
  const { mint, verifier } = await world(t)
  const { accessToken, expiresIn } = mint({ subject: ADA, sessionId: 'session', now: NOW, sessionEnds: NOW + 60 })
  t.equal(expiresIn, 60)
  t.equal(verifier.verify(accessToken).expiresAt, '2027-01-15T08:01:00.000Z')
})

t.test('any address is sealed rightly', async t => {
  const { mint, verifier } = await world(t)
  const sealsRightly = (email: string) => {
    const { accessToken } = mint({ subject: { ...ADA, email }, sessionId: 'session', now: NOW, sessionEnds: NOW + 3600 })
    return verifier.verify(accessToken).email === email
  }
  const addresses = [
    'пользователь@пример.рф', '用户@例子.公司', 'zoë@exämple.com', '"ada lovelace"@example.com', '"a\\"b"@example.com', "o'brien@example.com", '\\@example.com',
    '"","jti":"x"}"@example.com', '<script>@example.com', '🐎@example.com', '\u2028@example.com', '\u0000\u001f@example.com', 'e\u0301@example.com', '\ud83d@example.com',
    `${'✓'.repeat(64)}@${'例'.repeat(180)}.com`
  ]
  for (const [index, email] of addresses.entries()) t.ok(sealsRightly(email), `address ${index}`)
  fc.assert(fc.property(fc.oneof(fc.emailAddress(), fc.string({ unit: 'binary', minLength: 1, maxLength: 254 }), fc.string({ unit: 'grapheme', minLength: 1, maxLength: 100 })), sealsRightly))
})

t.test('no two tokens share a jti', async t => {
  const { mint, verifier } = await world(t)
  const ids = Array.from({ length: 100 }, () => verifier.verify(mint({ subject: ADA, sessionId: 'session', now: NOW, sessionEnds: NOW + 3600 }).accessToken).tokenId)
  t.equal(new Set(ids).size, 100)
})

t.test('a token stays good after COUNTERSIGN_SECRET has moved on in its ring, and not once it is dropped', async t => {
  const [older, newer] = [randomBytes(48).toString('base64url'), randomBytes(48).toString('base64url')]
  const sealOf = (...secrets: string[]) => createSeal(deriveKeyRing(secrets, 'seal').map(({ bytes }) => bytes))
  const { secret, key } = await world(t)
  const app = Fastify()
  t.teardown(() => app.close())
  const { sign } = await registerJwtSigner(app, { alg: 'HS256', secret, kid: key.kid })
  const mint = createAccessTokenMint({ sign, seal: sealOf(older), issuer: ISSUER, audience: 'api', ttl: 600 })
  const { accessToken } = mint({ subject: ADA, sessionId: 'session', now: NOW, sessionEnds: NOW + 3600 })
  const verifierOf = (...secrets: string[]) => createTokenVerifier({ issuer: ISSUER, audience: 'api', keys: [key], isSealed: sealOf(...secrets).isSealed, clock: () => NOW * 1000 })

  for (const ring of [[older], [older, newer], [newer, older]]) t.match(verifierOf(...ring).verify(accessToken), { id: ADA.id })
  t.throws(() => verifierOf(newer).verify(accessToken), new InvalidToken('forged'))
})
