import type { RevocationSet } from 'countersign-verifier/internal'
import type { Metrics } from '../http/server/metrics.ts'
import type { LedgerSync } from './ledger-sync.ts'

/** Reports how much is revoked, and how well this instance keeps up with the ledger. */
export function addRevocationMetrics (metrics: Metrics, set: RevocationSet, { age, lag, counts }: Pick<LedgerSync, 'age' | 'lag' | 'counts'>): void {
  metrics.gauge('countersign_revocations', 'Live revocations in memory', () => set.size)
  metrics.gauge('countersign_revocations_age_seconds', 'Time since the last completed read of the ledger began', () => age() / 1000)
  metrics.gauge('countersign_revocations_lag_seconds', 'Time from the start of the last revocation\'s transaction until this instance applied it', lag)
  metrics.counter('countersign_revocations_heard_total', 'Notifications of revocations', () => counts.notifications)
  metrics.counter('countersign_revocations_reads_total', 'Completed reads of the ledger', () => counts.reads)
  metrics.counter('countersign_revocations_failed_reads_total', 'Failed reads of the ledger', () => counts.failedReads)
}
