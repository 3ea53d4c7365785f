import { createRevocationSet } from 'countersign-verifier/internal'
import type { Database, Log } from '../database/database.ts'
import type { Metrics } from '../http/server/metrics.ts'
import { createFreshness } from './freshness.ts'
import { createLedgerPurge, createLedgerReader } from './ledger-reader.ts'
import { followLedger } from './ledger-sync.ts'
import { addRevocationMetrics } from './metrics.ts'
import { createRestoreRevocations } from './restore-revocations.ts'

export interface RevocationDeps {
  database: Database
  metrics: Metrics
  /** Seconds. */
  maxStaleness: number
  log: Log
}

/** What has been revoked, as this instance knows it. */
export type RevocationState = Awaited<ReturnType<typeof composeRevocation>>

/** Starts to follow the ledger; everything that has been revoked is in the set when it returns. @throws DatabaseStartError */
export async function composeRevocation ({ database, metrics, maxStaleness, log }: RevocationDeps) {
  const set = createRevocationSet()
  const ledger = createLedgerReader({ query: database.queryReserved })
  const sync = await followLedger({ ledger, database, set, log, restore: createRestoreRevocations({ database, ledger, log }) }).catch((error: unknown) => { throw database.explainStart(error) })
  addRevocationMetrics(metrics, set, sync)
  const { apply, follow, catchUp, age, cursor, now, close } = sync
  return { set, apply, follow, catchUp, age, cursor, now, close, ...createFreshness(sync, maxStaleness), purge: createLedgerPurge(database) }
}
