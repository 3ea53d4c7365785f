import { decodeJson } from './base64url.ts'
import { refuse } from './errors.ts'
import type { VerificationKey } from './verification-key.ts'

/**
 * Parses a protected header and finds the key that it names. Parameters with a key from elsewhere (`jku`, `jwk`, `x5u`,
 * `x5c`) are ignored: only the ring has keys (RFC 8725 §3.10).
 *
 * @param encoded the token's first part
 * @throws InvalidToken
 */
export function selectKey (encoded: string, keys: readonly VerificationKey[]): VerificationKey {
  const header = decodeJson(encoded)
  if (typeof header !== 'object' || header === null || Array.isArray(header)) refuse('malformed')
  const { alg, kid, typ, crit } = header as Record<string, unknown>
  if (typ !== 'at+jwt') refuse('wrong_type')
  if (crit !== undefined) refuse('critical_extension')
  const key = keys.find(key => key.kid === kid)
  if (key === undefined) refuse('unknown_key')
  if (alg !== key.alg) refuse('wrong_algorithm')
  return key
}
