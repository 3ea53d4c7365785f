import type { Revocation as RevocationEntry } from 'countersign-verifier/internal'
import type { Database } from '../../database/database.ts'
import { Problem } from '../../errors.ts'
import type { Metrics } from '../../http/server/metrics.ts'
import { createLedgerReader } from '../../revocation/ledger-reader.ts'
import type { RevocationState } from '../../revocation/compose.ts'
import { toRevocation } from '../../revocation/ledger-writer.ts'
import { revocationEvents, syncEvent } from './sse-events.ts'
import { createSseSubscriber, type Connection, type SseSubscriber, type BackpressureLimits } from './sse-subscriber.ts'

const SYNC_EVERY = 2_000
const LIMITS: SubscriberLimits = { inAll: 4_000, ofOneClient: 1_000 }

// Of those who have come together, from a service that was restarted, these many read the ledger at a time: logging in goes on.
const READ_AT_ONCE = 2

// Revocations that are written at a time to one who has many to catch up with.
const PART = 500

/** Tells its followers of every revocation. */
export interface RevocationFeed {
  /** Takes a connection on, which from now on misses nothing. @throws Problem 503 where there are too many, 499 where it is gone already */
  admit (connection: Connection): SseSubscriber
  /**
   * Tells a follower everything that is live, or what it has missed since a cursor, and then attests it.
   *
   * @throws where the ledger cannot be read, or the follower has left
   */
  catchUp (follower: SseSubscriber, since?: string): Promise<void>
  /** Sends everybody away. Who comes later is refused. */
  close (): void
}

/** How many connections may follow one instance. */
export interface SubscriberLimits {
  inAll: number
  /** One service that leaks connections must not shut the others out. */
  ofOneClient: number
}

/** What the feed is made of. */
export interface FeedDeps {
  database: Pick<Database, 'query'>
  revocation: Pick<RevocationState, 'follow' | 'age'>
  metrics: Pick<Metrics, 'gauge'>
  limits?: SubscriberLimits
  patience?: BackpressureLimits
}

export function createRevocationFeed ({ database, revocation, metrics, limits = LIMITS, patience }: FeedDeps): RevocationFeed {
  const ledger = createLedgerReader(database, { atOnce: READ_AT_ONCE })
  const followers = new Set<SseSubscriber>()
  const caughtUp = new Set<SseSubscriber>()
  let unsent: RevocationEntry[] = []
  let syncedAt = -Infinity
  let isClosed = false
  metrics.gauge('countersign_revocation_followers', 'Connections that follow the feed of revocations', () => followers.size)

  // What comes to be known at once is written once, for however many follow.
  function tell (): void {
    if (unsent.length === 0) return
    const events = revocationEvents(unsent)
    unsent = []
    for (const follower of followers) follower.send(events)
  }

  const unfollow = revocation.follow({
    onRevocation (entry) {
      if (unsent.push(entry) === 1) queueMicrotask(tell)
      if (entry.kind === 'client') for (const follower of ofClient(entry.id)) follower.disconnect('credential withdrawn')
    },
    // Only what was read can be attested: cut off from its database, this instance falls silent, and its followers know.
    onRead (cursor) {
      tell()
      if (performance.now() - syncedAt < SYNC_EVERY) return
      syncedAt = performance.now()
      const sync = syncEvent(cursor, revocation.age())
      for (const follower of caughtUp) follower.send(sync)
    }
  })

  function ofClient (clientId: string): SseSubscriber[] {
    return [...followers].filter(follower => follower.clientId === clientId)
  }

  return {
    admit (connection) {
      if (isClosed) throw new Problem('unavailable')
      // It may have gone while it was asked who it is, and would never tell again.
      if (connection.response.destroyed) throw new Problem('client_gone')
      if (followers.size >= limits.inAll || ofClient(connection.clientId).length >= limits.ofOneClient) throw new Problem('too_busy')
      const follower = createSseSubscriber({
        ...connection,
        onDisconnect (why) {
          followers.delete(follower)
          caughtUp.delete(follower)
          connection.onDisconnect(why)
        }
      }, patience)
      followers.add(follower)
      return follower
    },

    async catchUp (follower, since) {
      const began = performance.now()
      const { cursor } = await ledger.read(async rows => {
        const entries = rows.flatMap(toRevocation)
        for (let at = 0; at === 0 || at < entries.length; at += PART) await follower.sendPart(revocationEvents(entries.slice(at, at + PART)))
      }, since)
      follower.send(syncEvent(cursor, performance.now() - began))
      caughtUp.add(follower)
    },

    close () {
      isClosed = true
      unfollow()
      for (const follower of followers) follower.disconnect('stopping')
    }
  }
}
