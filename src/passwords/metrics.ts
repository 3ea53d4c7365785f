import type { Metrics } from '../http/server/metrics.ts'
import type { HashQueueStats } from './hash-queue.ts'

/** Adds how often breached passwords could not be checked. */
export function addBreachedPasswordMetrics (metrics: Metrics, unavailable: () => number): void {
  metrics.counter('countersign_breached_passwords_unavailable_total', 'New passwords that could not be checked for breaches', unavailable)
}

/** Adds metrics of the hash queue: how busy it is, and how many hashes it refused. */
export function addHashQueueMetrics (metrics: Metrics, queue: () => HashQueueStats): void {
  metrics.gauge('countersign_hash_queue_running', 'Password hashes running', () => queue().running)
  metrics.gauge('countersign_hash_queue_waiting', 'Password hashes waiting', () => queue().waiting)
  metrics.counter('countersign_hash_queue_refused_total', 'Password hashes refused because the queue was full', () => queue().refused)
  metrics.counter('countersign_hash_queue_expired_total', 'Password hashes refused because they had waited too long', () => queue().expired)
  metrics.counter('countersign_hash_queue_abandoned_total', 'Password hashes given up because the client had disconnected', () => queue().abandoned)
}
