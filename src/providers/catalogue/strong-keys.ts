import { createPublicKey, type JsonWebKey } from 'node:crypto'
import { findKeyWeakness } from 'countersign-verifier/internal'
import type { CustomFetch } from 'openid-client'

/** Removes from a provider's JWK set (RFC 7517 §5) the keys that cannot be read, and those whose signatures can be forged. */
export function withStrongKeys (fetch: CustomFetch): CustomFetch {
  return async (url, options) => {
    const response = await fetch(url, options)
    // How the library asks for keys, and for nothing else.
    if (!options.headers.accept?.includes('application/jwk-set+json') || response.status !== 200) return response
    const body: unknown = await response.clone().json().catch(() => undefined)
    const keys = typeof body === 'object' && body !== null && 'keys' in body ? body.keys : undefined
    // The library refuses what is no JWK set.
    return Array.isArray(keys) ? Response.json({ keys: keys.filter(isStrong) }, { headers: { 'content-type': 'application/jwk-set+json' } }) : response
  }
}

function isStrong (jwk: JsonWebKey): boolean {
  try {
    return findKeyWeakness(createPublicKey({ key: jwk, format: 'jwk' })) === undefined
  } catch {
    return false
  }
}
