import { createHmacSha256 } from './hmac-sha256.ts'
import { encodeHeader, type VerificationKey } from './verification-key.ts'

const MIN_SECRET_BYTES = 32

/**
 * An HS256 key.
 *
 * Its `kid` is a MAC over the issuer, not a digest of the secret, so that it does not help to guess the secret.
 *
 * @param secret its UTF-8 bytes are the key; at least 32 of them (RFC 7518 §3.2)
 * @throws TypeError if `secret` is too short, or is a PEM, an SSH key or a JWK
 */
export function createHmacKey (secret: string, issuer: string, audience: string): VerificationKey {
  checkSecret(secret)
  const hmac = createHmacSha256(Buffer.from(secret, 'utf8'))
  const kid = Buffer.from(hmac.digest(`countersign:kid:v1|${issuer}`), 'base64url').toString('base64url', 0, 8)
  return { kid, alg: 'HS256', audience, header: encodeHeader('HS256', kid), verify: hmac.matches }
}

// With a public key as the shared secret, anyone can sign (RFC 8725 §2.1).
function checkSecret (secret: string): void {
  if (typeof secret !== 'string') throw new TypeError('An HMAC key must be a string')
  if (/-----BEGIN |^\s*ssh-/.test(secret)) throw new TypeError('An HMAC key must be a shared secret, not a PEM or SSH key')
  if (/^\s*{/.test(secret)) throw new TypeError('An HMAC key must be a shared secret, not a JWK')
  if (Buffer.byteLength(secret) < MIN_SECRET_BYTES) throw new TypeError(`An HMAC key must have at least ${MIN_SECRET_BYTES} bytes`)
}
