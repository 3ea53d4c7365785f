import { hkdfSync } from 'node:crypto'

/** An audience that a registered client has to itself, and which of its keys signs. */
export interface Audience {
  readonly name: string
  readonly keyVersion: number
}

/**
 * Derives the HS256 key of an audience, one for each secret of the ring of `COUNTERSIGN_SECRET`, the current one first
 * (HKDF-SHA-256, RFC 5869). Whoever has it verifies, and can forge, for that audience alone.
 *
 * @returns base64url text; its UTF-8 bytes are the HMAC key
 */
export function deriveAudienceKeys (secrets: readonly string[], { name, keyVersion }: Audience): string[] {
  const info = `countersign:audience:v1|${keyVersion}|${name}`
  return secrets.map(secret => Buffer.from(hkdfSync('sha256', secret, '', info, 32)).toString('base64url'))
}
