import type { FastifyInstance } from 'fastify'
import { InvalidToken, type PublicJwk } from 'countersign-verifier'
import { createTokenVerifier, type ClientTokenClaims, type TokenVerifier } from 'countersign-verifier/internal'
import type { Config } from '../config.ts'
import type { Database } from '../database/database.ts'
import { createAccessTokenMint, type MintAccessToken } from './mint-access-token.ts'
import { createAudienceStore } from './audience-store.ts'
import { createAudiences, type Audiences, type TokenAudience } from './audiences.ts'
import { createClientTokenMint, type MintClientToken } from './mint-client-token.ts'
import { deriveKeyRing, type KeyPurpose, type KeyRing } from './derived-keys.ts'
import { createReadSessionId, createVerifyAnyToken, type VerifyAnyToken, type Revoked } from './verify-any-token.ts'
import { registerJwtSigner } from './jwt-signer.ts'
import { createServiceKeys } from './service-keys.ts'
import { createSeal } from './seal.ts'

/** Everything the service does with access tokens, and the keys for its other credentials. */
export interface Tokens {
  /** Verifies users' tokens of the service's own audience. */
  verifier: TokenVerifier
  /** Mints users' tokens for the service's own audience. */
  mint: MintAccessToken
  /** @returns the mint for an audience, by default the service's own. @throws Problem 422 `unknown_audience` */
  mintFor (audience: string | undefined): Promise<MintAccessToken>
  mintForClient: MintClientToken
  audiences: Audiences
  inspect: VerifyAnyToken
  /** @returns the session of a user's token of the service's own audience, also of one that has expired or was revoked. @throws InvalidToken */
  sessionOf (token: string): string
  /** Verifies a client's token of the service's own audience. @throws InvalidToken */
  verifyClientToken (token: string): ClientTokenClaims
  /** The keys of the JWKS. */
  publicKeys: readonly PublicJwk[]
  /** The keys for one purpose, derived from the ring `COUNTERSIGN_SECRET`. */
  ring (purpose: KeyPurpose): KeyRing
}

type TokenConfig = Pick<Config, 'issuer' | 'audience' | 'algorithm' | 'secrets' | 'jwtSecrets' | 'privateKeys' | 'accessTokenTtl'>

export interface TokensDeps {
  app: FastifyInstance
  config: TokenConfig
  database: Pick<Database, 'query'>
  revocation: Revoked
}

/** @throws Error if the service's own audience belongs to a registered client */
export async function composeTokens ({ app, config, database, revocation }: TokensDeps): Promise<Tokens> {
  const { issuer, audience, secrets, accessTokenTtl: ttl } = config
  const seal = createSeal(deriveKeyRing(secrets, 'seal').map(({ bytes }) => bytes))
  const { signing, verifying, published } = createServiceKeys(config)
  const signer = await registerJwtSigner(app, signing)
  const own = { name: audience, keys: verifying, sign: signer.sign }
  const store = createAudienceStore(database)
  if (await store.find(audience) !== undefined) throw new Error(`JWT_AUDIENCE is "${audience}", which is the audience of a registered client: choose another, or remove that client with countersign clients remove.`)
  const audiences = createAudiences({ own, store, signer, secrets, issuer })

  const createMint = ({ name, sign }: TokenAudience) => createAccessTokenMint({ sign, seal, issuer, audience: name, ttl })
  const mint = createMint(own)
  const inspect = createVerifyAnyToken({ issuer, seal, revoked: revocation })
  const { set: revocations, assertFresh, now } = revocation

  return {
    verifier: createTokenVerifier({ issuer, audience, keys: verifying, revocations, isSealed: seal.isSealed, assertFresh, clock: () => now() * 1000 }),
    mint,
    mintFor: async audience => audience === undefined ? mint : createMint(await audiences.find(audience)),
    mintForClient: createClientTokenMint({ seal, issuer, ttl }),
    audiences,
    inspect,
    sessionOf: createReadSessionId({ issuer, seal, now: revocation.now }, own),
    verifyClientToken (token) {
      const verified = inspect(token, own)
      if (verified.of !== 'client') throw new InvalidToken('invalid_claims')
      return verified.claims
    },
    publicKeys: published,
    ring: purpose => deriveKeyRing(secrets, purpose)
  }
}
