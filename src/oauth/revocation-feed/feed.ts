import type { Revocation } from 'countersign-verifier/internal'
import type { Database } from '../../database/database.ts'
import { Problem } from '../../errors.ts'
import type { Metrics } from '../../http/server/metrics.ts'
import { createLedgerReader } from '../../revocation/ledger-reader.ts'
import type { RevocationState } from '../../revocation/compose.ts'
import { toRevocation } from '../../revocation/ledger-writer.ts'
import { revocationEvents, syncEvent } from './sse-events.ts'
import { createSseSubscriber, type Connection, type SseSubscriber, type BackpressureLimits } from './sse-subscriber.ts'

const SYNC_EVERY = 2_000
const LIMITS: SubscriberLimits = { total: 4_000, perClient: 1_000 }

// When a service restarts, its subscribers come back together. So few of them read the ledger at a time that logging in goes on.
const CONCURRENT_READS = 2

// How many revocations are written at a time to a subscriber that has many to catch up with.
const BATCH = 500

/** Sends every revocation to its subscribers. */
export type RevocationFeed = ReturnType<typeof createRevocationFeed>

/** How many connections one instance accepts. */
export interface SubscriberLimits {
  total: number
  /** One service that leaks connections must not shut the others out. */
  perClient: number
}

export interface FeedDeps {
  database: Pick<Database, 'query'>
  revocation: Pick<RevocationState, 'follow' | 'age'>
  metrics: Pick<Metrics, 'gauge'>
  limits?: SubscriberLimits
  backpressure?: BackpressureLimits
}

export function createRevocationFeed ({ database, revocation, metrics, limits = LIMITS, backpressure }: FeedDeps) {
  const ledger = createLedgerReader(database, { concurrency: CONCURRENT_READS })
  const subscribers = new Set<SseSubscriber>()
  const caughtUp = new Set<SseSubscriber>()
  let unsent: Revocation[] = []
  let syncedAt = -Infinity
  let isClosed = false
  metrics.gauge('countersign_revocation_followers', 'Connections that follow the revocation feed', () => subscribers.size)

  // Revocations that arrive together are serialized once, for all subscribers.
  function flush (): void {
    if (unsent.length === 0) return
    const events = revocationEvents(unsent)
    unsent = []
    for (const subscriber of subscribers) subscriber.send(events)
  }

  const unfollow = revocation.follow({
    onRevocation (entry) {
      if (unsent.push(entry) === 1) queueMicrotask(flush)
      if (entry.kind === 'client') for (const subscriber of ofClient(entry.id)) subscriber.disconnect('credential withdrawn')
    },
    // Only a completed read can be attested: an instance without its database sends no sync, and its subscribers notice.
    onRead (cursor) {
      flush()
      if (performance.now() - syncedAt < SYNC_EVERY) return
      syncedAt = performance.now()
      const sync = syncEvent(cursor, revocation.age())
      for (const subscriber of caughtUp) subscriber.send(sync)
    }
  })

  function ofClient (clientId: string): SseSubscriber[] {
    return [...subscribers].filter(subscriber => subscriber.clientId === clientId)
  }

  return {
    /** Subscribes a connection: from now on it misses nothing. @throws Problem 503 beyond the limits, 499 where the client has disconnected */
    subscribe (connection: Connection): SseSubscriber {
      if (isClosed) throw new Problem('unavailable')
      // It may have closed while the client was authenticated, and then emits no further event.
      if (connection.response.destroyed) throw new Problem('client_gone')
      if (subscribers.size >= limits.total || ofClient(connection.clientId).length >= limits.perClient) throw new Problem('too_busy')
      const subscriber = createSseSubscriber({
        ...connection,
        onDisconnect (reason) {
          subscribers.delete(subscriber)
          caughtUp.delete(subscriber)
          connection.onDisconnect(reason)
        }
      }, backpressure)
      subscribers.add(subscriber)
      return subscriber
    },

    /**
     * Sends a subscriber everything that is live, or what it has missed since a cursor, and then a sync.
     *
     * @throws where the ledger cannot be read, or the subscriber has disconnected
     */
    async catchUp (subscriber: SseSubscriber, since?: string): Promise<void> {
      const began = performance.now()
      const { cursor } = await ledger.read(async rows => {
        const entries = rows.flatMap(toRevocation)
        for (let at = 0; at === 0 || at < entries.length; at += BATCH) await subscriber.sendBatch(revocationEvents(entries.slice(at, at + BATCH)))
      }, since)
      subscriber.send(syncEvent(cursor, performance.now() - began))
      caughtUp.add(subscriber)
    },

    /** Disconnects all subscribers, and refuses new ones. */
    close (): void {
      isClosed = true
      unfollow()
      for (const subscriber of subscribers) subscriber.disconnect('stopping')
    }
  }
}
