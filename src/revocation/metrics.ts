import type { RevocationSet } from 'countersign-verifier/internal'
import type { Metrics } from '../http/server/metrics.ts'
import type { LedgerSync } from './ledger-sync.ts'

/** Reports how much is revoked, and how well this instance keeps up with it. */
export function addRevocationMetrics (metrics: Metrics, set: RevocationSet, { age, lag, counts }: LedgerSync): void {
  metrics.gauge('countersign_revocations', 'Live revocations in memory', () => set.size)
  metrics.gauge('countersign_revocations_age_seconds', 'Time since the last completed read of the ledger began', () => age() / 1000)
  metrics.gauge('countersign_revocations_lag_seconds', 'What the last revocation took from the beginning of its transaction to this instance', lag)
  metrics.counter('countersign_revocations_heard_total', 'Revocations heard of as they committed', () => counts.heard)
  metrics.counter('countersign_revocations_reads_total', 'Completed reads of the ledger', () => counts.read)
  metrics.counter('countersign_revocations_failed_reads_total', 'Reads of the ledger that failed', () => counts.failed)
}
