import { decodePart } from './base64url.ts'
import { refuse } from './errors.ts'
import { MAX_TOKEN_BYTES } from './limits.ts'
import { selectKey } from './select-key.ts'
import type { VerificationKey } from './verification-key.ts'

/** A token with a valid signature. Its claims are not checked yet. */
export interface VerifiedSignature {
  readonly key: VerificationKey
  readonly payload: unknown
}

/**
 * Verifies the signature of a token, and decodes its payload.
 *
 * @param token a compact JWS
 * @param isSealed the issuer's own check of the payload's text, before it is parsed
 * @throws InvalidToken
 */
export function verifySignature (token: string, keys: readonly VerificationKey[], isSealed?: (payload: string) => boolean): VerifiedSignature {
  if (token.length > MAX_TOKEN_BYTES) refuse('too_large')
  const start = token.indexOf('.') + 1
  const end = token.indexOf('.', start)
  if (start === 0 || end === -1 || token.indexOf('.', end + 1) !== -1) refuse('malformed')
  // The header that the service itself writes is compared as text; any other is parsed.
  const key = keys.find(({ header }) => token.startsWith(header)) ?? selectKey(token.slice(0, start - 1), keys)
  if (!key.verify(token, end, token.slice(end + 1))) refuse('bad_signature')
  const text = decodePart(token.slice(start, end))
  if (isSealed !== undefined && !isSealed(text)) refuse('forged')
  return { key, payload: parse(text) }
}

function parse (payload: string): unknown {
  try {
    return JSON.parse(payload)
  } catch {
    refuse('malformed')
  }
}
