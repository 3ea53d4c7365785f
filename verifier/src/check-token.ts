import { lifeOf, type ClaimsPolicy, type TokenClaims, type TokenLife } from './claims.ts'
import { refuse } from './errors.ts'
import type { RevocationSet } from './revocation-set.ts'
import type { VerificationKey } from './verification-key.ts'
import { verifySignature } from './verify-signature.ts'

/** What a token is checked against at every use. */
export interface UseCheck extends Pick<ClaimsPolicy<string>, 'clockTolerance'> {
  readonly revocations?: Pick<RevocationSet, 'has'> | undefined
  /** Throws if the revocations are too old to decide by. */
  readonly assertFresh?: (() => void) | undefined
}

/** What a token is checked against. `Claims` says whose tokens they are: users', clients', or both. */
export interface TokenCheck<Claims extends TokenClaims<string>, R extends string = string> extends ClaimsPolicy<R>, UseCheck {
  /** Every key that a valid token may be signed with. */
  readonly keys: readonly VerificationKey[]
  /** @throws InvalidToken */
  readonly checkClaims: (payload: unknown, policy: ClaimsPolicy<R>, now: number) => Claims
  /** The issuer's own check of its seal. Others do not have the key for it. */
  readonly isSealed?: ((payload: string) => boolean) | undefined
}

/**
 * Checks what never changes about a token, so that the result may be cached: size, signature, seal, claims and audience.
 *
 * @param token a compact JWS
 * @param now Unix seconds
 * @throws InvalidToken
 */
export function readToken<Claims extends TokenClaims<string>, R extends string> (token: string, check: TokenCheck<Claims, R>, now: number): Claims {
  if (typeof token !== 'string') refuse('malformed')
  const { key, payload } = verifySignature(token, check.keys, check.isSealed)
  const claims = check.checkClaims(payload, check, now)
  if (claims.aud !== key.audience) refuse('wrong_audience')
  return claims
}

/**
 * Checks what changes about a token, at every use: expiry and revocation.
 *
 * @param now Unix seconds
 * @throws InvalidToken, and what `assertFresh` throws
 */
export function assertUsable (token: TokenLife, check: UseCheck, now: number): void {
  // Not `>=`: if the clock returns NaN, no token may pass.
  if (!(now < token.expiresAt + check.clockTolerance)) refuse('expired')
  if (check.revocations !== undefined && check.revocations.has(token)) refuse('revoked')
  check.assertFresh?.()
}

/** Both checks. @throws InvalidToken, and what `assertFresh` throws */
export function checkToken<Claims extends TokenClaims<string>, R extends string> (token: string, check: TokenCheck<Claims, R>, now: number): Claims {
  const claims = readToken(token, check, now)
  assertUsable(lifeOf(claims), check, now)
  return claims
}
