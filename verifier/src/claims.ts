import { refuse } from './errors.ts'
import { MAX_ACCESS_TOKEN_LIFE } from './limits.ts'
import { isText } from './options/assert-option.ts'
import type { Role } from './principal.ts'
import type { Revocable } from './revocation-set.ts'

/** The claims of every access token (RFC 9068 §2.2). Times are Unix seconds. */
interface CommonClaims {
  iss: string
  aud: string
  sub: string
  jti: string
  iat: number
  exp: number
  nbf?: number
}

/** The claims of a user's access token. */
export interface AccessTokenClaims extends CommonClaims {
  sid: string
  client_id?: string
  role: Role
  ver?: number
  email?: string
  email_verified?: boolean
}

/** The claims of a token that a client got for itself: it speaks of no user, of no session and of no role. */
export interface ClientTokenClaims extends CommonClaims {
  client_id: string
  /** Separated by spaces (RFC 9068 §2.2.3). */
  scope?: string
}

/** What the claims of any token are held against. */
export interface CommonPolicy {
  issuer: string
  audience: string
  /** Seconds. */
  clockTolerance: number
}

/** What the claims of a user's token are held against. */
export interface ClaimsPolicy extends CommonPolicy {
  roles: readonly string[]
}

/**
 * Holds the decoded payload of a user's token against the policy, whose clock reads `now` (Unix seconds). Expiry is not
 * asked here but at every use, for a token may be remembered.
 *
 * @throws InvalidToken
 */
export function checkClaims (payload: unknown, policy: ClaimsPolicy, now: number): AccessTokenClaims {
  if (!isObject(payload) || !hasCommonClaims(payload) || !speaksOfUser(payload, policy.roles)) refuse('invalid_claims')
  checkCommonClaims(payload, policy, now)
  return payload
}

/**
 * The same for a token that a client got for itself.
 *
 * @throws InvalidToken
 */
export function checkClientClaims (payload: unknown, policy: CommonPolicy, now: number): ClientTokenClaims {
  if (!isObject(payload) || !hasCommonClaims(payload) || !speaksOfClient(payload)) refuse('invalid_claims')
  checkCommonClaims(payload, policy, now)
  return payload
}

/** How a client's token is known to the revocation set: it is a session of its own, and no version of a client is ever behind. */
export function revocableClient ({ sub: subject, jti: sessionId }: ClientTokenClaims): Revocable {
  return { sessionId, subject, version: Infinity }
}

function checkCommonClaims (claims: CommonClaims, policy: CommonPolicy, now: number): void {
  if (claims.iss !== policy.issuer) refuse('wrong_issuer')
  if (claims.aud !== policy.audience) refuse('wrong_audience')
  const latest = now + policy.clockTolerance
  if (claims.iat > latest || (claims.nbf !== undefined && claims.nbf > latest)) refuse('not_yet_valid')
  if (claims.exp - claims.iat > MAX_ACCESS_TOKEN_LIFE) refuse('too_long_lived')
}

type Claims = Record<string, unknown>

function isObject (value: unknown): value is Claims {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function hasCommonClaims (claims: Claims): claims is Claims & CommonClaims {
  return isText(claims.iss) && isText(claims.aud) && isText(claims.sub) && isText(claims.jti) &&
    Number.isSafeInteger(claims.iat) && Number.isSafeInteger(claims.exp) &&
    (claims.nbf === undefined || Number.isSafeInteger(claims.nbf))
}

function speaksOfUser (claims: Claims & CommonClaims, roles: readonly string[]): claims is Claims & AccessTokenClaims {
  return isText(claims.sid) && typeof claims.role === 'string' && roles.includes(claims.role) &&
    (claims.ver === undefined || Number.isSafeInteger(claims.ver)) &&
    (claims.client_id === undefined || isText(claims.client_id)) &&
    (claims.email === undefined || isText(claims.email)) &&
    (claims.email_verified === undefined || typeof claims.email_verified === 'boolean')
}

function speaksOfClient (claims: Claims & CommonClaims): claims is Claims & ClientTokenClaims {
  return isText(claims.client_id) && claims.client_id === claims.sub && claims.sid === undefined && claims.role === undefined &&
    (claims.scope === undefined || isText(claims.scope))
}
