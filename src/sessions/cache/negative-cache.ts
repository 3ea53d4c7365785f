const MOST = 10_000

/**
 * Remembers secrets that open nothing, so that whoever sends one again and again asks Postgres once. A session that is
 * over is so for ever, and nobody is ever given a secret that was there before: what stands here never becomes wrong.
 */
export interface NegativeCache {
  has (secretHash: Buffer): boolean
  add (secretHash: Buffer): void
}

/** @param most how many are remembered; the oldest go first */
export function createNegativeCache (most = MOST): NegativeCache {
  const refused = new Set<string>()

  return {
    has: secretHash => refused.size !== 0 && refused.has(secretHash.toString('latin1')),
    add (secretHash) {
      refused.add(secretHash.toString('latin1'))
      if (refused.size <= most) return
      const [oldest] = refused
      if (oldest !== undefined) refused.delete(oldest)
    }
  }
}
