import type { Database, Log } from '../database/database.ts'
import type { Metrics } from '../http/server/metrics.ts'
import { createOutboxWriter } from './enqueue.ts'
import type { Channel, PayloadEncryption } from './message.ts'
import { addOutboxMetrics } from './metrics.ts'
import { createOutboxStore } from './store.ts'
import { startOutboxWorker } from './worker.ts'

export interface OutboxDeps {
  database: Pick<Database, 'query'>
  encryption: PayloadEncryption
  metrics: Metrics
  log: Log
}

export type Outbox = ReturnType<typeof composeOutbox>

/** What leaves the service after a commit. */
export function composeOutbox ({ database, encryption, metrics, log }: OutboxDeps) {
  const store = createOutboxStore(database)
  let wake: (() => void) | undefined

  return {
    ...createOutboxWriter(database, encryption),

    /** To be called once a message is committed: it is delivered now, and not at the next poll. */
    wake (): void { wake?.() },

    /** Begins to deliver. @returns stops it */
    start (channels: readonly Channel[]): () => Promise<void> {
      const worker = startOutboxWorker({ store, channels, encryption, log })
      addOutboxMetrics(metrics, worker.counts)
      wake = worker.wake
      return worker.close
    },

    purges: store.purges
  }
}
