import { randomBytes } from 'node:crypto'
import t from 'tap'
import { createSeal } from '../../src/tokens/seal.ts'
import { InvalidToken } from 'countersign-verifier'
import { createHmacKey, createTokenVerifier, MAX_TOKEN_BYTES, type TokenVerifierOptions } from 'countersign-verifier/internal'
import { createTokenWriter, fitsInHeader, hostileTokens, oddTokens, SUBJECT, type TokenIssuer } from '../support/hostile-tokens.ts'

const NOW = 1_800_000_000.5
const outsider: TokenIssuer = { secret: randomBytes(48).toString('base64url'), issuer: 'https://auth.example.com', audience: 'api' }
const seal = createSeal([randomBytes(32)])
const service: TokenIssuer = { ...outsider, seal: seal.create }

function verifierOf ({ secret, issuer, audience }: TokenIssuer, options: Partial<TokenVerifierOptions> = {}) {
  return createTokenVerifier({ issuer, audience, keys: [createHmacKey(secret, issuer, audience)], clock: () => NOW * 1000, ...options })
}

const faces = {
  'a verifier that cannot ask for the seal': { issuer: outsider, verifier: verifierOf(outsider) },
  'a verifier that asks for the seal': { issuer: service, verifier: verifierOf(service, { isSealed: seal.isSealed }) },
  'a verifier without a cache': { issuer: outsider, verifier: verifierOf(outsider, { cacheBytes: 0 }) }
}

for (const [name, { issuer, verifier }] of Object.entries(faces)) {
  t.test(`${name} refuses every hostile token, twice alike`, async t => {
    for (const { name, reason, write } of hostileTokens(issuer)) {
      const token = write(NOW)
      t.throws(() => verifier.verify(token), new InvalidToken(reason), name)
      t.throws(() => verifier.verify(token, 'cookie'), new InvalidToken(reason), `${name}, again`)
    }
  })

  t.test(`${name} accepts every odd one, twice alike`, async t => {
    for (const { name, write } of oddTokens(issuer)) {
      const token = write(NOW)
      const { sub: id, sid: sessionId, role } = SUBJECT
      t.match(verifier.verify(token), { id, sessionId, role, credential: 'bearer' }, name)
      t.match(verifier.verify(token, 'cookie'), { id, sessionId, role, credential: 'cookie' }, `${name}, again`)
    }
  })
}

t.test('the tables hold what their names say', async t => {
  for (const issuer of [outsider, service]) {
    const hostile = hostileTokens(issuer)
    t.equal(new Set(hostile.map(({ name }) => name)).size, hostile.length, 'each name once')
    const sendable = hostile.filter(({ write }) => fitsInHeader(write(NOW)))
    t.ok(sendable.length > 200, `${sendable.length} of ${hostile.length} can be sent`)
  }
  t.equal(oddTokens(outsider).at(-1)?.write(NOW).length, MAX_TOKEN_BYTES)
})

t.test('a refusal says nothing of the token', async t => {
  for (const { name, write } of hostileTokens(service)) {
    const token = write(NOW)
    try {
      verifierOf(service).verify(token)
    } catch (error) {
      t.ok(error instanceof InvalidToken && error.message === `The token was refused: ${error.reason}`, name)
    }
  }
})

t.test('no key to verify with: everything is refused', async t => {
  const verifier = verifierOf(outsider, { keys: [] })
  t.throws(() => verifier.verify(createTokenWriter(outsider).good(NOW)), new InvalidToken('unknown_key'))
})
