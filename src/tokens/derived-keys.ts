import { hkdfSync } from 'node:crypto'

/** What a key of the service is for; each purpose has a key that tells nothing of the others. */
export type KeyPurpose = 'seal' | 'refresh' | 'renewal' | 'device' | 'flow' | 'session-copy' | 'provider-token'

/** One key of a ring. `id` names the secret that it comes from, and tells nothing of it. */
export interface DerivedKey {
  readonly id: string
  readonly bytes: Buffer
}

/** The keys for one purpose, the current one first. */
export type KeyRing = readonly [DerivedKey, ...DerivedKey[]]

/**
 * Derives a ring of 256-bit keys from the ring of `COUNTERSIGN_SECRET` (HKDF-SHA-256, RFC 5869), each under a label of
 * its own.
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
