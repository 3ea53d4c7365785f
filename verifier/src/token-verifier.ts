import { checkClaims, type AccessTokenClaims, type ClaimsPolicy } from './claims.ts'
import { refuse } from './errors.ts'
import type { VerificationKey } from './verification-key.ts'
import { isoTimestamp } from './iso-timestamp.ts'
import { DEFAULT_CACHE_BYTES, DEFAULT_CLOCK_TOLERANCE, MAX_CLOCK_TOLERANCE } from './limits.ts'
import { ROLES, type Principal, type TokenCredential } from './principal.ts'
import type { Revocable, RevocationSet } from './revocation-set.ts'
import { verifySignature } from './verify-signature.ts'
import { createTokenCache } from './token-cache.ts'

/** What a verifier is made of. */
export interface TokenVerifierOptions {
  /** The exact `iss` of every token. */
  issuer: string
  /** The exact `aud` of every token. */
  audience: string
  /** Every key that may have signed; `setKeys` replaces them. */
  keys: readonly VerificationKey[]
  /** What has been revoked, and is asked at every verification. */
  revocations?: RevocationSet
  /** The roles that a token may carry. */
  roles?: readonly string[]
  /** Seconds, at most 60. Default 5. */
  clockTolerance?: number
  /** Bytes that remembered tokens may take; 0 turns the cache off. Default 16 MiB. */
  cacheBytes?: number
  /** The time in milliseconds since 1970. */
  clock?: () => number
  /** The issuer's own check: whether it sealed this payload. Others have no key to ask it with. */
  isSealed?: (payload: string) => boolean
  /** Throws when what is known of revocations is too old to answer by. */
  assertFresh?: () => void
}

/** Verifies access tokens with no I/O. */
export interface TokenVerifier {
  /**
   * @param token a compact JWS
   * @param credential what carried it
   * @throws InvalidToken
   */
  verify (token: string, credential?: TokenCredential): Principal
  /** Replaces every key, and forgets what was verified with the old ones. */
  setKeys (keys: readonly VerificationKey[]): void
}

interface Known extends Revocable {
  readonly claims: AccessTokenClaims
  readonly expires: number
  bearer: Principal | undefined
  cookie: Principal | undefined
}

const NO_SCOPES: readonly string[] = Object.freeze([])

/** @throws RangeError where the clock tolerance is out of its range */
export function createTokenVerifier (options: TokenVerifierOptions): TokenVerifier {
  const { issuer, audience, revocations, isSealed, assertFresh, roles = ROLES, clock = Date.now } = options
  const { clockTolerance = DEFAULT_CLOCK_TOLERANCE, cacheBytes = DEFAULT_CACHE_BYTES } = options
  const policy: ClaimsPolicy = { issuer, audience, roles, clockTolerance }
  const cache = createTokenCache<Known>(cacheBytes)
  let keys = [...options.keys]
  if (!Number.isFinite(clockTolerance) || clockTolerance < 0 || clockTolerance > MAX_CLOCK_TOLERANCE) {
    throw new RangeError(`clockTolerance must be from 0 to ${MAX_CLOCK_TOLERANCE} seconds`)
  }

  function inspect (token: string, now: number): Known {
    const { key, payload } = verifySignature(token, keys, isSealed)
    const claims = checkClaims(payload, policy, now)
    if (claims.aud !== key.audience) refuse('wrong_audience')
    return {
      claims,
      sessionId: claims.sid,
      subject: claims.sub,
      version: claims.ver ?? 0,
      expires: claims.exp + clockTolerance,
      bearer: undefined,
      cookie: undefined
    }
  }

  return {
    verify (token, credential = 'bearer') {
      if (typeof token !== 'string') refuse('malformed')
      const now = clock() / 1000
      let known = cache.get(token)
      const isNew = known === undefined
      known ??= inspect(token, now)
      // Not `>=`: a clock that tells no time must let nobody in.
      if (!(now < known.expires)) refuse('expired')
      if (revocations !== undefined && revocations.has(known)) refuse('revoked')
      assertFresh?.()
      if (isNew) cache.set(token, known)
      const principal = known[credential] ?? toPrincipal(known.claims, credential)
      known[credential] = principal
      return principal
    },

    setKeys (next) {
      keys = [...next]
      cache.clear()
    }
  }
}

function toPrincipal (claims: AccessTokenClaims, credential: TokenCredential): Principal {
  return Object.freeze({
    id: claims.sub,
    email: claims.email ?? null,
    emailVerified: claims.email_verified === true,
    role: claims.role,
    sessionId: claims.sid,
    clientId: claims.client_id ?? null,
    scopes: NO_SCOPES,
    tokenId: claims.jti,
    issuedAt: isoTimestamp(claims.iat),
    expiresAt: isoTimestamp(claims.exp),
    credential
  })
}
