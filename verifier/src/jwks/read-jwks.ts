import { createPublicKey } from '../public-key.ts'
import type { PublicJwk } from '../types.ts'
import type { VerificationKey } from '../verification-key.ts'

const MAX_KEYS = 100

/**
 * The keys of a set that can verify access tokens. Others are ignored (RFC 7517 §5), and so is a shared secret: published,
 * it is not a secret. There may be none, if the service signs with a shared secret or removed its last public key.
 *
 * @param set the parsed JSON
 * @param audience the only `aud` that tokens signed with these keys may have
 * @throws Error if it is not a JWK set
 */
export function readJwks (set: unknown, audience: string): VerificationKey[] {
  const { keys } = (typeof set === 'object' && set !== null ? set : {}) as { keys?: unknown }
  if (!Array.isArray(keys)) throw new Error('The response is not a JWK set')
  const usable = new Map<string, VerificationKey>()
  for (const jwk of keys.slice(0, MAX_KEYS)) {
    const key = readKey(jwk, audience)
    if (key !== undefined && !usable.has(key.kid)) usable.set(key.kid, key)
  }
  return [...usable.values()]
}

function readKey (jwk: PublicJwk, audience: string): VerificationKey | undefined {
  try {
    return createPublicKey(jwk, audience)
  } catch {
    return undefined
  }
}
