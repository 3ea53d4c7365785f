import { refuse } from './errors.ts'
import { MAX_ACCESS_TOKEN_LIFE } from './limits.ts'
import type { Role } from './principal.ts'

/** The claims of a user's access token (RFC 9068 §2.2, and `sid`, `role`, `ver`). Times are Unix seconds. */
export interface AccessTokenClaims {
  iss: string
  aud: string
  sub: string
  sid: string
  jti: string
  iat: number
  exp: number
  nbf?: number
  client_id?: string
  role: Role
  ver?: number
  email?: string
  email_verified?: boolean
}

/** What claims are held against. */
export interface ClaimsPolicy {
  issuer: string
  audience: string
  roles: readonly string[]
  /** Seconds. */
  clockTolerance: number
}

/**
 * Holds a decoded payload against the policy, whose clock reads `now` (Unix seconds). Expiry is not asked here but at
 * every use, for a token may be remembered.
 *
 * @throws InvalidToken
 */
export function checkClaims (payload: unknown, policy: ClaimsPolicy, now: number): AccessTokenClaims {
  if (!isObject(payload)) refuse('invalid_claims')
  if (!hasClaims(payload, policy.roles)) refuse('invalid_claims')
  if (payload.iss !== policy.issuer) refuse('wrong_issuer')
  if (payload.aud !== policy.audience) refuse('wrong_audience')
  const latest = now + policy.clockTolerance
  if (payload.iat > latest || (payload.nbf !== undefined && payload.nbf > latest)) refuse('not_yet_valid')
  if (payload.exp - payload.iat > MAX_ACCESS_TOKEN_LIFE) refuse('too_long_lived')
  return payload
}

function isObject (value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function hasClaims (claims: Record<string, unknown>, roles: readonly string[]): claims is Record<string, unknown> & AccessTokenClaims {
  return isText(claims.iss) && isText(claims.aud) && isText(claims.sub) && isText(claims.sid) && isText(claims.jti) &&
    Number.isSafeInteger(claims.iat) && Number.isSafeInteger(claims.exp) &&
    typeof claims.role === 'string' && roles.includes(claims.role) &&
    (claims.nbf === undefined || Number.isSafeInteger(claims.nbf)) &&
    (claims.ver === undefined || Number.isSafeInteger(claims.ver)) &&
    (claims.client_id === undefined || isText(claims.client_id)) &&
    (claims.email === undefined || isText(claims.email)) &&
    (claims.email_verified === undefined || typeof claims.email_verified === 'boolean')
}

function isText (value: unknown): value is string {
  return typeof value === 'string' && value !== ''
}
