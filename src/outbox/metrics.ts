import type { Metrics } from '../http/server/metrics.ts'
import type { OutboxWorker } from './worker.ts'

/** Reports what waits in the outbox, and what this instance delivered. */
export function addOutboxMetrics (metrics: Metrics, counts: OutboxWorker['counts']): void {
  metrics.gauge('countersign_outbox_waiting', 'Messages that wait to be delivered, of all instances, up to 1,000', () => counts.waiting)
  metrics.gauge('countersign_outbox_dead', 'Messages that could not be delivered, of the last 14 days, up to 1,000', () => counts.dead)
  metrics.counter('countersign_outbox_sent_total', 'Messages delivered', () => counts.sent)
  metrics.counter('countersign_outbox_failed_attempts_total', 'Failed attempts to deliver a message', () => counts.failed)
}
