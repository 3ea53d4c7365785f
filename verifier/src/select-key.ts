import { decodeJson } from './base64url.ts'
import { refuse } from './errors.ts'
import type { VerificationKey } from './verification-key.ts'

/**
 * Reads a protected header and finds the key it names. Parameters that would bring in a key from outside (`jku`,
 * `jwk`, `x5u`, `x5c`) are not read: keys come from the ring alone (RFC 8725 §3.10).
 *
 * @param encoded the header's part of the token
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
