import { checkToken, type TokenCheck } from './check-token.ts'
import { checkClientClaims, type ClientTokenClaims } from './claims.ts'
import { isoTimestamp } from './iso-timestamp.ts'
import type { ClientPrincipal } from './types.ts'
import type { VerificationKey } from './verification-key.ts'

/** Verifies the tokens that clients got for themselves. Not cached: services send few of them. */
export function createClientVerifier ({ clock, ...options }: Omit<TokenCheck<ClientTokenClaims>, 'checkClaims'> & { readonly clock: () => number }) {
  let check: TokenCheck<ClientTokenClaims> = { ...options, keys: [...options.keys], checkClaims: checkClientClaims }

  return {
    /** @param token a compact JWS @throws InvalidToken */
    verify: (token: string): ClientPrincipal => toPrincipal(checkToken(token, check, clock() / 1000)),
    /** Replaces all keys. */
    setKeys (keys: readonly VerificationKey[]): void {
      check = { ...check, keys: [...keys] }
    }
  }
}

function toPrincipal ({ sub, scope = '', jti, iat, exp }: ClientTokenClaims): ClientPrincipal {
  return Object.freeze({
    id: sub,
    scopes: Object.freeze(scope.split(' ').filter(text => text !== '')),
    tokenId: jti,
    issuedAt: isoTimestamp(iat),
    expiresAt: isoTimestamp(exp)
  })
}
