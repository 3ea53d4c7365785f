import { Problem } from '../errors.ts'
import type { LedgerSync } from './ledger-sync.ts'

/**
 * Checks whether the set is recent enough to decide by.
 *
 * @param maxStaleness seconds that may have passed since the last completed read of the ledger began
 */
export function createFreshness ({ age }: Pick<LedgerSync, 'age'>, maxStaleness: number) {
  const isFresh = () => age() <= maxStaleness * 1000

  return {
    isFresh,
    /** @throws Problem 503: what has been revoked since is unknown */
    assertFresh (): void {
      if (!isFresh()) throw new Problem('unavailable', { cause: new Error('The revocation set is stale') })
    }
  }
}
