import { refuse } from './errors.ts'
import { MAX_ACCESS_TOKEN_LIFE, MAX_IAT_AHEAD } from './limits.ts'
import { isText } from './options/assert-option.ts'
import type { Revocable } from './revocation-set.ts'
import type { Role } from './types.ts'

/** The roles of a Countersign service. */
export const ROLES = ['user', 'admin'] as const satisfies readonly Role[]

/** The default of an option `roles: R[]`. Its type parameter defaults to `Role`, so without the option R is `Role`. */
export function defaultRoles<R extends string> (): readonly R[] {
  return ROLES as readonly string[] as readonly R[]
}

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
export interface AccessTokenClaims<R extends string = Role> extends CommonClaims {
  sid: string
  client_id?: string
  role: R
  ver?: number
  email?: string
  email_verified?: boolean
}

/** The claims of a token that a client got for itself: no user, no session, no role. */
export interface ClientTokenClaims extends CommonClaims {
  client_id: string
  /** Separated by spaces (RFC 9068 §2.2.3). */
  scope?: string
  ver?: number
}

export type TokenClaims<R extends string = Role> = AccessTokenClaims<R> | ClientTokenClaims

/** What claims are checked against. */
export interface ClaimsPolicy<R extends string = Role> {
  readonly issuer: string
  readonly audience: string
  readonly roles: readonly R[]
  /** Seconds. */
  readonly clockTolerance: number
  /** Called for a token of the future: this machine's clock is at least so many seconds behind. */
  readonly onClockBehind?: ((seconds: number) => void) | undefined
}

/**
 * Checks the decoded payload of a user's token. Expiry is not checked here but at every use, because tokens are cached.
 *
 * @param now Unix seconds
 * @throws InvalidToken
 */
export function checkClaims<R extends string> (payload: unknown, policy: ClaimsPolicy<R>, now: number): AccessTokenClaims<R> {
  if (!isObject(payload) || !hasCommonClaims(payload) || !hasUserClaims(payload, policy.roles)) refuse('invalid_claims')
  checkCommonClaims(payload, policy, now)
  return payload
}

/** The same for the payload of a client's own token. @throws InvalidToken */
export function checkClientClaims (payload: unknown, policy: ClaimsPolicy<string>, now: number): ClientTokenClaims {
  if (!isObject(payload) || !hasCommonClaims(payload) || !hasClientClaims(payload)) refuse('invalid_claims')
  checkCommonClaims(payload, policy, now)
  return payload
}

/** The same for either kind. Only in a client's own token is `client_id` the subject. @throws InvalidToken */
export function checkAnyClaims<R extends string> (payload: unknown, policy: ClaimsPolicy<R>, now: number): TokenClaims<R> {
  const isOfClient = isObject(payload) && payload.sub === payload.client_id
  return isOfClient ? checkClientClaims(payload, policy, now) : checkClaims(payload, policy, now)
}

/** Whether checked claims are a user's. */
export function isUserClaims<R extends string> (claims: TokenClaims<R>): claims is AccessTokenClaims<R> {
  return 'sid' in claims
}

/** What ends the life of a token: its expiry, in Unix seconds, and the ids that can be revoked. */
export interface TokenLife extends Revocable {
  readonly expiresAt: number
}

/** A client's own token counts as a session of its own. */
export function lifeOf (claims: TokenClaims<string>): TokenLife {
  return isUserClaims(claims)
    ? { sessionId: claims.sid, subject: claims.sub, version: claims.ver ?? 0, expiresAt: claims.exp }
    : { sessionId: claims.jti, subject: claims.sub, version: claims.ver ?? 0, expiresAt: claims.exp }
}

function checkCommonClaims (claims: CommonClaims, policy: ClaimsPolicy<string>, now: number): void {
  if (claims.iss !== policy.issuer) refuse('wrong_issuer')
  if (claims.aud !== policy.audience) refuse('wrong_audience')
  const latest = now + policy.clockTolerance
  if (claims.iat > latest) policy.onClockBehind?.(claims.iat - now)
  if (claims.iat > now + MAX_IAT_AHEAD || (claims.nbf !== undefined && claims.nbf > latest)) refuse('not_yet_valid')
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

function hasUserClaims<R extends string> (claims: Claims & CommonClaims, roles: readonly R[]): claims is Claims & AccessTokenClaims<R> {
  return isText(claims.sid) && (roles as readonly unknown[]).includes(claims.role) &&
    (claims.ver === undefined || Number.isSafeInteger(claims.ver)) &&
    (claims.client_id === undefined || isText(claims.client_id)) &&
    (claims.email === undefined || isText(claims.email)) &&
    (claims.email_verified === undefined || typeof claims.email_verified === 'boolean')
}

function hasClientClaims (claims: Claims & CommonClaims): claims is Claims & ClientTokenClaims {
  return isText(claims.client_id) && claims.client_id === claims.sub && claims.sid === undefined && claims.role === undefined &&
    (claims.ver === undefined || Number.isSafeInteger(claims.ver)) &&
    (claims.scope === undefined || isText(claims.scope))
}
