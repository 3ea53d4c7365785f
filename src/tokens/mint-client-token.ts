import type { ClientTokenClaims } from 'countersign-verifier/internal'
import type { MintedToken } from './mint-access-token.ts'
import type { TokenAudience } from './audiences.ts'
import type { Seal } from './seal.ts'

export interface ClientMintRequest {
  clientId: string
  /** Tokens of older versions can be revoked together. */
  version: number
  scopes: readonly string[]
  audience: TokenAudience
  /** Unix seconds, by the database's clock. */
  now: number
}

/** Mints the access tokens that clients get for themselves (RFC 6749 §4.4). They have no user. */
export type MintClientToken = (request: ClientMintRequest) => MintedToken

/** @param ttl seconds */
export function createClientTokenMint ({ seal, issuer, ttl }: { seal: Seal, issuer: string, ttl: number }): MintClientToken {
  return ({ clientId, version, scopes, audience, now }) => {
    const iat = Math.floor(now)
    const claims: Omit<ClientTokenClaims, 'jti'> = {
      iss: issuer,
      aud: audience.name,
      sub: clientId,
      iat,
      exp: iat + ttl,
      client_id: clientId,
      ver: version,
      ...scopes.length > 0 && { scope: scopes.join(' ') }
    }
    return { accessToken: audience.sign(Object.assign(claims, { jti: seal.create(JSON.stringify(claims)) })), expiresIn: ttl }
  }
}
