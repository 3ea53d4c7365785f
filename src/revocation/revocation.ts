import { createRevocationSet, type RevocationSet } from 'countersign-verifier/core'
import type { Database, Log } from '../database/database.ts'
import type { Metrics } from '../http/metrics.ts'
import { createFreshness, type Freshness } from './freshness.ts'
import { measureRevocation } from './measure.ts'
import { createLedgerStore, type LedgerStore } from './ledger-store.ts'
import { followLedger, type Propagation } from './propagation.ts'

/** What has been revoked, as this instance knows it, and the ledger that it knows it from. */
export interface Revocation extends Freshness, Pick<Propagation, 'apply' | 'follow' | 'catchUp' | 'age' | 'now' | 'close'>, LedgerStore {
  readonly set: RevocationSet
}

/** What knowing takes. `maxStaleness` is seconds. */
export interface RevocationParts {
  database: Database
  metrics: Metrics
  maxStaleness: number
  log: Log
}

/** Begins to follow the ledger; knows everything that has been revoked when it returns. @throws DatabaseStartError */
export async function createRevocation ({ database, metrics, maxStaleness, log }: RevocationParts): Promise<Revocation> {
  const set = createRevocationSet()
  const ledger = createLedgerStore(database)
  const propagation = await followLedger({ ledger, database, set, log }).catch((error: unknown) => { throw database.explainStart(error) })
  measureRevocation(metrics, set, propagation)
  return { ...createFreshness(propagation, maxStaleness), ...propagation, ...ledger, set }
}
