import { checkClientClaims, revocableClient, type ClientTokenClaims, type CommonPolicy } from './claims.ts'
import { refuse } from './errors.ts'
import { isoTimestamp } from './iso-timestamp.ts'
import type { ClientPrincipal } from './principal.ts'
import type { RevocationSet } from './revocation-set.ts'
import { verifySignature } from './verify-signature.ts'
import type { VerificationKey } from './verification-key.ts'

/** What a client's token is verified with. */
export interface ClientVerifierDeps extends CommonPolicy {
  /** Every key that may have signed, now. */
  keys (): readonly VerificationKey[]
  revocations: Pick<RevocationSet, 'has'>
  /** The time in milliseconds since 1970. */
  clock?: () => number
}

/**
 * Verifies the token that another service got for itself. It speaks of no user, and none of a user's tokens passes for
 * it, nor it for a user's.
 *
 * @returns what throws InvalidToken, or says which client is asking
 */
export function createClientVerifier ({ keys, revocations, clock = Date.now, ...policy }: ClientVerifierDeps): (token: string) => ClientPrincipal {
  return token => {
    if (typeof token !== 'string') refuse('malformed')
    const now = clock() / 1000
    const { key, payload } = verifySignature(token, keys())
    const claims = checkClientClaims(payload, policy, now)
    if (claims.aud !== key.audience) refuse('wrong_audience')
    if (!(now < claims.exp + policy.clockTolerance)) refuse('expired')
    if (revocations.has(revocableClient(claims))) refuse('revoked')
    return toPrincipal(claims)
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
