import type { Revocation } from 'countersign-verifier/internal'
import type { Database } from '../../database/database.ts'
import { Problem } from '../../errors.ts'
import { invalidToken } from '../../http/guards.ts'
import type { Metrics } from '../../http/server/metrics.ts'
import { createLedgerReader } from '../../revocation/ledger-reader.ts'
import type { RevocationState } from '../../revocation/compose.ts'
import type { ClientCredential } from '../client-authentication.ts'
import { createCatchUp } from './catch-up.ts'
import { createEventLog } from './event-log.ts'
import { createMissedEvents } from './missed-events.ts'
import { createSnapshotEvents } from './snapshot-events.ts'
import { revocationEvents, syncEvent } from './sse-events.ts'
import { createSseSubscriber, type Connection, type SseSubscriber } from './sse-subscriber.ts'

const SYNC_EVERY = 2_000
const LIMITS: SubscriberLimits = { total: 4_000, perClient: 1_000 }

// Milliseconds. An instance that has not read its ledger for this long tries to, for a new subscriber could go to another one.
const CUT_OFF = 3_000

// How many revocations are one entry of the log.
const BATCH = 500

// Seconds: the longest that a follower waits before it comes back.
const RETRY_AFTER = '30'

/** Sends every revocation to its subscribers. */
export type RevocationFeed = ReturnType<typeof createRevocationFeed>

/** How many connections one instance accepts. */
export interface SubscriberLimits {
  total: number
  /** One service that leaks connections must not shut the others out. */
  perClient: number
}

/** How much a subscriber may leave unread before it is disconnected. */
export interface BackpressureLimits {
  bytes: number
  /** Milliseconds without reading any of it. */
  ms: number
}

const BACKPRESSURE_LIMITS: BackpressureLimits = { bytes: 4 * 1024 * 1024, ms: 30_000 }

export interface FeedDeps {
  database: Pick<Database, 'query'>
  revocation: Pick<RevocationState, 'set' | 'follow' | 'catchUp' | 'age' | 'cursor' | 'now'>
  metrics: Pick<Metrics, 'gauge'>
  limits?: SubscriberLimits
  backpressure?: BackpressureLimits
}

/**
 * What it holds is bounded, however many subscribers there are, however much is revoked, and however slowly they read: what
 * is new is in one log for all of them, and what is live is rendered from the set, piece by piece.
 */
export function createRevocationFeed ({ database, revocation, metrics, limits = LIMITS, backpressure = BACKPRESSURE_LIMITS }: FeedDeps) {
  const log = createEventLog(backpressure.bytes)
  const sendCatchUp = createCatchUp({
    log,
    snapshot: createSnapshotEvents(revocation.set, log),
    missed: createMissedEvents(createLedgerReader(database), log)
  })
  const subscribers = new Set<SseSubscriber>()
  const caughtUp = new Set<SseSubscriber>()
  const byToken = new Map<string, Set<SseSubscriber>>()
  let unsent: Revocation[] = []
  let syncedAt = -Infinity
  let reading: Promise<void> | undefined
  let isClosed = false
  metrics.gauge('countersign_revocation_followers', 'Connections that follow the revocation feed', () => subscribers.size)

  // Revocations that arrive together are serialized once, for all subscribers.
  function flush (): void {
    if (unsent.length === 0) return
    for (let at = 0; at < unsent.length; at += BATCH) log.append(revocationEvents(unsent.slice(at, at + BATCH)))
    unsent = []
    for (const subscriber of subscribers) subscriber.deliver()
  }

  function sync (): Buffer {
    return syncEvent({ cursor: revocation.cursor(), ageMs: revocation.age(), nowMs: revocation.now() * 1000 })
  }

  const unfollow = revocation.follow({
    onRevocation (entry) {
      if (unsent.push(entry) === 1) queueMicrotask(flush)
      for (const subscriber of withdrawnBy(entry)) subscriber.disconnect('credential withdrawn')
    },
    // Only a completed read can be attested: an instance without its database sends no sync, and its subscribers notice.
    onRead () {
      flush()
      if (performance.now() - syncedAt < SYNC_EVERY) return
      syncedAt = performance.now()
      const rendered = sync()
      for (const subscriber of caughtUp) subscriber.attest(rendered)
    }
  })

  function assertReadable (): Promise<void> {
    reading ??= revocation.catchUp().finally(() => { reading = undefined })
    return reading
  }

  function isRevoked ({ clientId, credential }: Pick<Connection, 'clientId' | 'credential'>): boolean {
    return 'tokenId' in credential && revocation.set.has({ sessionId: credential.tokenId, subject: clientId, version: credential.tokenVersion })
  }

  function ofClient (clientId: string): SseSubscriber[] {
    return [...subscribers].filter(subscriber => subscriber.clientId === clientId)
  }

  // Of a client's token, its `jti` is what is revoked as a session.
  function withdrawnBy (entry: Revocation): SseSubscriber[] {
    if (entry.kind === 'client') return ofClient(entry.id).filter(({ credential }) => withdraws(entry, credential))
    return entry.kind === 'session' ? [...byToken.get(entry.id) ?? []] : []
  }

  function add (subscriber: SseSubscriber): void {
    subscribers.add(subscriber)
    if (!('tokenId' in subscriber.credential)) return
    const { tokenId } = subscriber.credential
    byToken.set(tokenId, (byToken.get(tokenId) ?? new Set()).add(subscriber))
  }

  function remove (subscriber: SseSubscriber): void {
    subscribers.delete(subscriber)
    caughtUp.delete(subscriber)
    if (!('tokenId' in subscriber.credential)) return
    const { tokenId } = subscriber.credential
    const others = byToken.get(tokenId)
    others?.delete(subscriber)
    if (others?.size === 0) byToken.delete(tokenId)
  }

  return {
    /** Subscribes a connection: from now on it misses nothing. @throws Problem 401 where its token was revoked since it authenticated, 503 or 429 beyond the limits, 499 where the client has disconnected */
    subscribe (connection: Connection): SseSubscriber {
      if (isClosed) throw new Problem('unavailable')
      // It may have closed while the client was authenticated, and then emits no further event.
      if (connection.response.destroyed) throw new Problem('client_gone')
      if (isRevoked(connection)) throw invalidToken(new Error('The token was revoked'))
      if (ofClient(connection.clientId).length >= limits.perClient) throw new Problem('too_many_requests', { headers: { 'retry-after': RETRY_AFTER } })
      if (subscribers.size >= limits.total) throw new Problem('too_busy')
      const subscriber = createSseSubscriber({
        ...connection,
        onDisconnect (reason) {
          remove(subscriber)
          connection.onDisconnect(reason)
        }
      }, { log, patience: backpressure.ms, sync })
      add(subscriber)
      return subscriber
    },

    /**
     * Sends a subscriber everything that is live, or what it has missed since a cursor, and then a sync.
     *
     * @throws where the ledger cannot be read, or the subscriber has disconnected
     */
    async catchUp (subscriber: SseSubscriber, since?: string): Promise<void> {
      if (revocation.age() > CUT_OFF) await assertReadable()
      await sendCatchUp(subscriber, since)
      caughtUp.add(subscriber)
      subscriber.attest(sync())
    },

    /** Disconnects all subscribers, and refuses new ones. */
    close (): void {
      isClosed = true
      unfollow()
      for (const subscriber of subscribers) subscriber.disconnect('stopping')
    }
  }
}

/** Whether what a client connected with is no longer valid. A client that has revoked many of its tokens keeps its secret; one that was removed keeps nothing. */
function withdraws ({ minVersion }: Extract<Revocation, { kind: 'client' }>, credential: ClientCredential): boolean {
  return minVersion === undefined || ('tokenVersion' in credential && credential.tokenVersion < minVersion)
}
