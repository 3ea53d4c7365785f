import { hkdfSync } from 'node:crypto'

/** An audience of a registered client, and the version of the key that signs for it. */
export interface Audience {
  readonly name: string
  readonly keyVersion: number
}

/**
 * Derives the HS256 keys of an audience, one for each secret of the ring `COUNTERSIGN_SECRET`, the current one first
 * (HKDF-SHA-256, RFC 5869). The holder can verify, and forge, tokens for that audience only.
 *
 * @returns base64url text, whose UTF-8 bytes are the HMAC key
 */
export function deriveAudienceKeys (secrets: readonly string[], { name, keyVersion }: Audience): string[] {
  const info = `countersign:audience:v1|${keyVersion}|${name}`
  return secrets.map(secret => Buffer.from(hkdfSync('sha256', secret, '', info, 32)).toString('base64url'))
}
