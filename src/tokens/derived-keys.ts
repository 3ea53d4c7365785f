import { hkdfSync } from 'node:crypto'

/** The purpose of a derived key. No key reveals anything about the others. */
export type KeyPurpose = 'seal' | 'refresh' | 'renewal' | 'device' | 'flow' | 'session-copy' | 'provider-token' | 'limits' | 'outbox' | 'mail-code'

/** One key of a ring. `id` identifies the secret that it is derived from, without revealing anything about it. */
export interface DerivedKey {
  readonly id: string
  readonly bytes: Buffer
}

/** The keys for one purpose, the current one first. */
export type KeyRing = readonly [DerivedKey, ...DerivedKey[]]

/**
 * Derives a ring of 256-bit keys from the ring `COUNTERSIGN_SECRET` (HKDF-SHA-256, RFC 5869), with a label for each
 * purpose.
 */
export function deriveKeyRing (secrets: readonly string[], purpose: KeyPurpose): KeyRing {
  const [current, ...older] = secrets.map(secret => ({
    id: expand(secret, 'key-id', 8).toString('base64url'),
    bytes: expand(secret, purpose, 32)
  }))
  if (current === undefined) throw new Error('COUNTERSIGN_SECRET holds no secret')
  return [current, ...older]
}

function expand (secret: string, label: string, length: number): Buffer {
  return Buffer.from(hkdfSync('sha256', secret, '', `countersign:${label}:v1`, length))
}
