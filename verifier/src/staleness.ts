/** What to do with a good token while nobody can say what was revoked of late. */
export const ON_STALE = ['accept', 'reject', 'introspect'] as const

/**
 * `accept`: let it pass, for being let in late is worse than being kept out. `reject`: refuse it until the feed is back.
 * `introspect`: ask the service about each token.
 */
export type OnStale = typeof ON_STALE[number]

/** When what is known of revocations is too old, and what is done then. */
export interface StalenessPolicy {
  /** Seconds that may have passed since the service last read its ledger, as far as this verifier knows. */
  readonly maxStaleness: number
  readonly onStale: OnStale
}

/** @throws TypeError naming the option */
export function checkPolicy ({ onStale, maxStaleness }: { onStale?: unknown, maxStaleness?: unknown }): void {
  if (!ON_STALE.some(policy => policy === onStale)) throw new TypeError(`onStale must be one of ${ON_STALE.join(', ')}`)
  if (typeof maxStaleness !== 'number' || !Number.isFinite(maxStaleness) || maxStaleness <= 0) {
    throw new TypeError('maxStaleness must be a number of seconds above 0')
  }
}
