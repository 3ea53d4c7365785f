import { createHmacSha256 } from './hmac-sha256.ts'
import { encodeHeader, type VerificationKey } from './verification-key.ts'

const SHORTEST_SECRET = 32

/**
 * An HS256 key.
 *
 * Its `kid` is made by a MAC over the issuer, never a plain digest of the secret: it tells nothing that would help
 * somebody to guess it.
 *
 * @param secret its UTF-8 bytes are the key as they stand; at least 32 of them (RFC 7518 §3.2)
 * @throws TypeError where `secret` is too short, or no shared secret but a PEM, an SSH key or a JWK
 */
export function createHmacKey (secret: string, issuer: string, audience: string): VerificationKey {
  checkSecret(secret)
  const hmac = createHmacSha256(Buffer.from(secret, 'utf8'))
  const kid = Buffer.from(hmac.digest(`countersign:kid:v1|${issuer}`), 'base64url').toString('base64url', 0, 8)
  return { kid, alg: 'HS256', audience, header: encodeHeader('HS256', kid), verify: hmac.matches }
}

// Whoever takes a public key for a shared secret lets anyone sign (RFC 8725 §2.1).
function checkSecret (secret: string): void {
  if (typeof secret !== 'string') throw new TypeError('An HMAC key must be text')
  if (/-----BEGIN |^\s*ssh-/.test(secret)) throw new TypeError('An HMAC key must be a shared secret, not a PEM or SSH key')
  if (/^\s*{/.test(secret)) throw new TypeError('An HMAC key must be a shared secret, not a JWK')
  if (Buffer.byteLength(secret) < SHORTEST_SECRET) throw new TypeError(`An HMAC key must have at least ${SHORTEST_SECRET} bytes`)
}
