import type { ClockWarning } from '../clocks/clock-warning.ts'
import { createElapsedTime } from '../clocks/elapsed-time.ts'
import { VerifierWarning } from '../errors.ts'
import { createAuthorization } from '../net/client-authorization.ts'
import type { FeedSettings } from '../options/feed-options.ts'
import type { RevocationSet } from '../revocation-set.ts'
import type { VerifierCounters } from '../types.ts'
import type { EventSink } from '../verifier-events.ts'
import { createWarnOnce } from '../warn-once.ts'
import { FeedRefused } from './feed-refused.ts'
import { followFeed } from './follow-feed.ts'
import { createFreshness } from './freshness.ts'
import type { Sync } from './parse-event.ts'
import { createRetention } from './retention.ts'

const PRUNE_INTERVAL = 60_000
// Milliseconds that the clocks may differ without a warning.
const CLOCKS_APART = 60_000
const LONGEST_TIMEOUT = 2 ** 31 - 1

export interface RevocationFeedDeps {
  readonly settings: FeedSettings
  readonly revocations: RevocationSet
  /** The time in milliseconds since 1970. */
  readonly clock: () => number
  readonly clockOff: ClockWarning
  readonly sink: EventSink
  readonly counters: VerifierCounters
}

/** Keeps a set of revocations in sync with the service. */
export function createRevocationFeed ({ settings: { url, credentials, policy }, revocations, clock, clockOff, sink: { emit, warn }, counters }: RevocationFeedDeps) {
  const elapsed = createElapsedTime()
  const freshness = createFreshness({ elapsed, onSlept: watchStaleness })
  const retention = createRetention({ clock, monotonic: elapsed.now })
  const failure = createWarnOnce(warn)
  let staleTimer: NodeJS.Timeout | undefined
  let isStale = true

  function becomeStale (): void {
    isStale = true
    emit('stale')
  }

  function watchStaleness (): void {
    clearTimeout(staleTimer)
    if (isStale) return
    const remaining = Math.max(0, policy.maxStaleness * 1000 - freshness.age())
    staleTimer = setTimeout(becomeStale, Math.min(remaining, LONGEST_TIMEOUT)).unref()
  }

  function onSync ({ ageMs, nowMs }: Sync): void {
    counters.syncs++
    const isLate = freshness.update(ageMs)
    retention.onSync(nowMs)
    if (nowMs !== undefined && !isLate) compareClocks(nowMs)
    failure.reset()
    if (freshness.age() <= policy.maxStaleness * 1000) {
      const wasStale = isStale
      isStale = false
      watchStaleness()
      if (wasStale) emit('fresh')
    }
    emit('sync', ageMs)
  }

  function compareClocks (nowMs: number): void {
    const ahead = clock() - nowMs
    if (Math.abs(ahead) > CLOCKS_APART) clockOff(ahead / 1000)
  }

  function onLost (cause: Error): void {
    counters.feedFailures++
    failure.warn(cause instanceof FeedRefused && cause.isUnauthorized
      ? new VerifierWarning('feed_refused', `The service refused the feed of revocations at ${url}: check the credentials and their scope revocations:read`, cause)
      : new VerifierWarning('feed_lost', `The connection to the feed of revocations at ${url} was lost, retrying`, cause))
  }

  const pruning = setInterval(() => revocations.prune(retention.expiredBy()), PRUNE_INTERVAL).unref()
  const follower = followFeed({
    url,
    authorize: createAuthorization(credentials),
    renewsToken: credentials.token !== undefined,
    onRevocation (revocation) {
      counters.revocations++
      revocations.add(retention.keep(revocation))
      emit('revocation', revocation)
    },
    onSync,
    onLost
  })

  return {
    /** Milliseconds since the service last read its ledger, as far as is known; `Infinity` before the first `sync`. */
    age: freshness.age,
    /** Milliseconds, by a clock that only goes forward, also while the machine sleeps. */
    now: elapsed.now,
    close (): void {
      follower.close()
      freshness.stop()
      clearInterval(pruning)
      clearTimeout(staleTimer)
    }
  }
}
