import type { Role } from 'countersign-verifier'
import type { AccessTokenClaims } from 'countersign-verifier/internal'
import type { Sign } from './jwt-signer.ts'
import type { Seal } from './seal.ts'

/** The `client_id` of tokens from a login at the service itself. */
export const FIRST_PARTY_CLIENT = 'countersign'

/** The user of an access token. */
export interface TokenSubject {
  id: string
  email: string
  emailVerified: boolean
  role: Role
  version: number
}

/** Times are Unix seconds, by the database's clock. */
export interface MintRequest {
  subject: TokenSubject
  sessionId: string
  now: number
  /** The session's absolute end: no token outlives it. */
  sessionEnds: number
}

/** `expiresIn` is the token's lifetime in seconds. */
export interface MintedToken {
  accessToken: string
  expiresIn: number
}

export type MintAccessToken = (request: MintRequest) => MintedToken

/** @param ttl seconds */
export function createAccessTokenMint ({ sign, seal, issuer, audience, ttl }: { sign: Sign, seal: Seal, issuer: string, audience: string, ttl: number }): MintAccessToken {
  return ({ subject, sessionId, now, sessionEnds }) => {
    const iat = Math.floor(now)
    const exp = Math.min(iat + ttl, Math.floor(sessionEnds))
    const claims: Omit<AccessTokenClaims, 'jti'> = {
      iss: issuer,
      aud: audience,
      sub: subject.id,
      sid: sessionId,
      iat,
      exp,
      client_id: FIRST_PARTY_CLIENT,
      role: subject.role,
      ver: subject.version,
      email: subject.email,
      email_verified: subject.emailVerified
    }
    // The jti is last, because the seal covers everything before it, as serialized. Assigned: a copy with one more property
    // would cost V8 a new hidden class at each token.
    const sealed = Object.assign(claims, { jti: seal.create(JSON.stringify(claims)) })
    return { accessToken: sign(sealed), expiresIn: exp - iat }
  }
}
