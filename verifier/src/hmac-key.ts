import { createHmacSha256 } from './hmac-sha256.ts'

/** A key that access tokens are verified with: one algorithm, one audience. */
export interface VerificationKey {
  readonly kid: string
  readonly alg: string
  /** The only `aud` that a token under this key may have. */
  readonly audience: string
  /** The protected header that a Countersign service writes for this key, encoded, with the dot that follows it. */
  readonly header: string
  /** Whether `signature` (base64url) signs the first `length` characters of `token`. */
  verify (token: string, length: number, signature: string): boolean
}

/**
 * An HS256 key.
 *
 * Its `kid` is made by a MAC over the issuer, never a plain digest of the secret: it tells nothing that would help
 * somebody to guess it.
 *
 * @param secret its UTF-8 bytes are the key as they stand
 */
export function createHmacKey (secret: string, issuer: string, audience: string): VerificationKey {
  const hmac = createHmacSha256(Buffer.from(secret, 'utf8'))
  const kid = Buffer.from(hmac.digest(`countersign:kid:v1|${issuer}`), 'base64url').toString('base64url', 0, 8)
  return { kid, alg: 'HS256', audience, header: encodeHeader('HS256', kid), verify: hmac.matches }
}

function encodeHeader (alg: string, kid: string): string {
  return `${Buffer.from(JSON.stringify({ alg, typ: 'at+jwt', kid })).toString('base64url')}.`
}
