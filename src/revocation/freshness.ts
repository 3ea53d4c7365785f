import { Problem } from '../errors.ts'
import type { LedgerSync } from './ledger-sync.ts'

/** Whether what is known of revocations is new enough to answer by. */
export interface Freshness {
  isFresh (): boolean
  /** @throws Problem 503: nobody can say what has been revoked since */
  assertFresh (): void
}

/** @param maxStaleness seconds that may have passed since the last completed read of the ledger began */
export function createFreshness ({ age }: Pick<LedgerSync, 'age'>, maxStaleness: number): Freshness {
  const isFresh = () => age() <= maxStaleness * 1000

  return {
    isFresh,
    assertFresh () {
      if (!isFresh()) throw new Problem('unavailable', { cause: new Error('What is known of revocations is too old to answer by') })
    }
  }
}
