import type { FastifyInstance } from 'fastify'
import { createHmacKey, createTokenVerifier, type RevocationSet, type TokenVerifier } from 'countersign-verifier/core'
import type { Config } from '../config.ts'
import { createAccessTokenMint, type MintAccessToken } from './access-token.ts'
import { deriveKeyRing, type KeyPurpose, type KeyRing } from './derived-keys.ts'
import { registerJwtSigner } from './jwt-signer.ts'
import { createSeal } from './seal.ts'

/** Everything the service does with access tokens, and the keys that other credentials are made with. */
export interface Tokens {
  verifier: TokenVerifier
  mint: MintAccessToken
  /** The keys for one purpose, from the ring of `COUNTERSIGN_SECRET`. */
  ring (purpose: KeyPurpose): KeyRing
}

type TokenConfig = Pick<Config, 'issuer' | 'audience' | 'secrets' | 'jwtSecrets' | 'accessTokenTtl'>

/** What is asked at every verification. */
interface Revoked {
  set: RevocationSet
  assertFresh (): void
  /** The database's clock, Unix seconds: the one that tokens are minted by. */
  now (): number
}

export async function createTokens (app: FastifyInstance, config: TokenConfig, { set: revocations, assertFresh, now }: Revoked): Promise<Tokens> {
  const { issuer, audience, secrets, jwtSecrets, accessTokenTtl: ttl } = config
  const seal = createSeal(deriveKeyRing(secrets, 'seal').map(({ bytes }) => bytes))
  const keys = jwtSecrets.map(secret => createHmacKey(secret, issuer, audience))
  const [secret] = jwtSecrets
  const [key] = keys
  if (secret === undefined || key === undefined) throw new Error('JWT_SECRET holds no secret')

  const sign = await registerJwtSigner(app, { secret, kid: key.kid })
  return {
    verifier: createTokenVerifier({ issuer, audience, keys, revocations, isSealed: seal.isSealed, assertFresh, clock: () => now() * 1000 }),
    mint: createAccessTokenMint({ sign, seal, issuer, audience, ttl }),
    ring: purpose => deriveKeyRing(secrets, purpose)
  }
}
