import { createRevocationSet, type Revocation as RevocationEntry, type RevocationSet } from 'countersign-verifier/core'
import type { Database, Log } from '../database/database.ts'
import type { Metrics } from '../http/metrics.ts'
import { createFreshness, type Freshness } from './freshness.ts'
import { measureRevocation } from './measure.ts'
import { followLedger } from './propagation.ts'
import { createLedgerStore, type LedgerStore } from './store.ts'

/** What has been revoked, as this instance knows it. */
export interface Revocation extends Freshness {
  readonly set: RevocationSet
  /** Puts what was just committed into force here at once. */
  apply (revocations: readonly RevocationEntry[]): void
  /** Reads what was committed elsewhere, for whom the next regular read is too late. */
  catchUp (): Promise<void>
  /** The database's clock, in Unix seconds. */
  now (): number
  purge: LedgerStore['purge']
  close (): Promise<void>
}

/** What knowing takes. `maxStaleness` is seconds. */
export interface RevocationParts {
  database: Database
  metrics: Metrics
  maxStaleness: number
  log: Log
}

/** Begins to follow the ledger; knows everything that has been revoked when it returns. */
export async function createRevocation ({ database, metrics, maxStaleness, log }: RevocationParts): Promise<Revocation> {
  const set = createRevocationSet()
  const ledger = createLedgerStore(database)
  const propagation = await followLedger({ ledger, database, set, log })
  measureRevocation(metrics, set, propagation)
  return {
    ...createFreshness(propagation, maxStaleness),
    set,
    apply: propagation.apply,
    catchUp: propagation.catchUp,
    now: propagation.now,
    purge: ledger.purge,
    close: propagation.close
  }
}
