import { assertUsable, readToken, type TokenCheck } from './check-token.ts'
import { checkClaims, defaultRoles, type AccessTokenClaims, type TokenLife } from './claims.ts'
import { isoTimestamp } from './iso-timestamp.ts'
import { DEFAULT_CACHE_BYTES, DEFAULT_CLOCK_TOLERANCE, MAX_CLOCK_TOLERANCE } from './limits.ts'
import { createTokenCache } from './token-cache.ts'
import type { Principal, Role, TokenCredential } from './types.ts'
import type { VerificationKey } from './verification-key.ts'

type Check<R extends string> = TokenCheck<AccessTokenClaims<R>, R>

export interface TokenVerifierOptions<R extends string = Role> extends Pick<Check<R>, 'issuer' | 'audience' | 'keys' | 'revocations' | 'isSealed' | 'assertFresh' | 'onClockBehind'> {
  /** The roles that a token may carry. */
  readonly roles?: readonly R[]
  /** Seconds, at most 60. Default 5. */
  readonly clockTolerance?: number
  /** Bytes for the cache of verified tokens; 0 turns it off. Default 16 MiB. */
  readonly cacheBytes?: number
  /** The time in milliseconds since 1970. */
  readonly clock?: () => number
}

/** Verifies users' access tokens without I/O. */
export interface TokenVerifier<R extends string = Role> {
  /**
   * @param token a compact JWS
   * @param credential how it was sent
   * @throws InvalidToken
   */
  verify (token: string, credential?: TokenCredential): Principal<R>
  /** Replaces all keys, and clears the cache. */
  setKeys (keys: readonly VerificationKey[]): void
}

interface CachedToken<R extends string> extends TokenLife {
  readonly claims: AccessTokenClaims<R>
  bearer: Principal<R> | undefined
  cookie: Principal<R> | undefined
}

const NO_SCOPES: readonly string[] = Object.freeze([])

/** @throws RangeError if the clock tolerance is out of range */
export function createTokenVerifier<R extends string = Role> (options: TokenVerifierOptions<R>): TokenVerifier<R> {
  const { roles = defaultRoles<R>(), clockTolerance = DEFAULT_CLOCK_TOLERANCE, cacheBytes = DEFAULT_CACHE_BYTES, clock = Date.now, ...rest } = options
  if (!Number.isFinite(clockTolerance) || clockTolerance < 0 || clockTolerance > MAX_CLOCK_TOLERANCE) {
    throw new RangeError(`clockTolerance must be from 0 to ${MAX_CLOCK_TOLERANCE} seconds`)
  }
  const cache = createTokenCache<CachedToken<R>>(cacheBytes)
  let check: Check<R> = { ...rest, keys: [...rest.keys], roles, clockTolerance, checkClaims }

  return {
    verify (token, credential = 'bearer') {
      const now = clock() / 1000
      const cached = typeof token === 'string' ? cache.get(token) : undefined
      const entry = cached ?? toEntry(readToken(token, check, now))
      assertUsable(entry, check, now)
      if (cached === undefined) cache.set(token, entry)
      const principal = entry[credential] ?? toPrincipal(entry.claims, credential)
      entry[credential] = principal
      return principal
    },

    setKeys (keys) {
      check = { ...check, keys: [...keys] }
      cache.clear()
    }
  }
}

// Flat, with room for both principals: an entry is one allocation.
function toEntry<R extends string> (claims: AccessTokenClaims<R>): CachedToken<R> {
  return { claims, sessionId: claims.sid, subject: claims.sub, version: claims.ver ?? 0, expiresAt: claims.exp, bearer: undefined, cookie: undefined }
}

function toPrincipal<R extends string> (claims: AccessTokenClaims<R>, credential: TokenCredential): Principal<R> {
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
