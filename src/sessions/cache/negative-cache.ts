const MAX_ENTRIES = 10_000

/**
 * Remembers secrets of no session, or of none that is live, so that a client that repeats one causes a single query. An entry never becomes
 * wrong: a session that has ended stays so, and no secret is issued twice.
 *
 * @param maxEntries how many are remembered; the oldest are dropped first
 */
export function createNegativeCache (maxEntries = MAX_ENTRIES) {
  const refused = new Set<string>()

  return {
    has: (secret: Buffer) => refused.size !== 0 && refused.has(secret.toString('latin1')),
    add (secret: Buffer): void {
      refused.add(secret.toString('latin1'))
      if (refused.size <= maxEntries) return
      const [oldest] = refused
      if (oldest !== undefined) refused.delete(oldest)
    }
  }
}
