import type { Metrics } from '../http/server/metrics.ts'
import type { HashQueueStats } from './hash-queue.ts'

/** Reports how busy the hash queue is, and whom it turned away. */
export function addHashQueueMetrics (metrics: Metrics, queue: () => HashQueueStats): void {
  metrics.gauge('countersign_hash_queue_running', 'Password hashes that run now', () => queue().running)
  metrics.gauge('countersign_hash_queue_waiting', 'Password hashes that wait for their turn', () => queue().waiting)
  metrics.counter('countersign_hash_queue_refused_total', 'Password hashes turned away because there was no place', () => queue().refused)
  metrics.counter('countersign_hash_queue_expired_total', 'Password hashes turned away because they had waited too long', () => queue().expired)
  metrics.counter('countersign_hash_queue_abandoned_total', 'Password hashes whose clients went away as they waited', () => queue().abandoned)
}
