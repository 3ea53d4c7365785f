import { createPublicKey, type PublicJwk } from '../public-key.ts'
import type { VerificationKey } from '../verification-key.ts'

/** A set of public keys (RFC 7517 §5). */
export interface Jwks {
  readonly keys: readonly PublicJwk[]
}

const MOST_KEYS = 100

/**
 * The keys of a set that are fit to verify access tokens with. Others are passed over, as RFC 7517 §5 asks; a shared
 * secret in a public place is no secret, and never a key. A set may hold none: that of a service that signs with a shared
 * secret, or that dropped its last public key.
 *
 * @param set what was parsed
 * @param audience the only `aud` that tokens under these keys may have
 * @throws Error where it is no set
 */
export function readJwks (set: unknown, audience: string): VerificationKey[] {
  const { keys } = (typeof set === 'object' && set !== null ? set : {}) as { keys?: unknown }
  if (!Array.isArray(keys)) throw new Error('This is no JWK set')
  const fit = new Map<string, VerificationKey>()
  for (const jwk of keys.slice(0, MOST_KEYS)) {
    const key = readKey(jwk, audience)
    if (key !== undefined && !fit.has(key.kid)) fit.set(key.kid, key)
  }
  return [...fit.values()]
}

function readKey (jwk: PublicJwk, audience: string): VerificationKey | undefined {
  try {
    return createPublicKey(jwk, audience)
  } catch {
    return undefined
  }
}
