import { createRevocationSet, type RevocationSet } from 'countersign-verifier/internal'
import type { Database, Log } from '../database/database.ts'
import type { Metrics } from '../http/server/metrics.ts'
import { createFreshness, type Freshness } from './freshness.ts'
import { addRevocationMetrics } from './metrics.ts'
import { createLedgerReader, type LedgerReader } from './ledger-reader.ts'
import { followLedger, type LedgerSync } from './ledger-sync.ts'

/** What has been revoked, as this instance knows it, and the ledger that it knows it from. */
export interface RevocationState extends Freshness, Pick<LedgerSync, 'apply' | 'follow' | 'catchUp' | 'age' | 'now' | 'close'>, LedgerReader {
  readonly set: RevocationSet
}

/** What knowing takes. `maxStaleness` is seconds. */
export interface RevocationDeps {
  database: Database
  metrics: Metrics
  maxStaleness: number
  log: Log
}

/** Begins to follow the ledger; knows everything that has been revoked when it returns. @throws DatabaseStartError */
export async function composeRevocation ({ database, metrics, maxStaleness, log }: RevocationDeps): Promise<RevocationState> {
  const set = createRevocationSet()
  const ledger = createLedgerReader(database)
  const propagation = await followLedger({ ledger, database, set, log }).catch((error: unknown) => { throw database.explainStart(error) })
  addRevocationMetrics(metrics, set, propagation)
  return { ...createFreshness(propagation, maxStaleness), ...propagation, ...ledger, set }
}
