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

const PRUNE_INTERVAL = 60_000
const LONGEST_TIMEOUT = 2 ** 31 - 1

export interface RevocationFeedDeps {
  readonly settings: FeedSettings
  readonly revocations: RevocationSet
  /** The time in milliseconds since 1970. */
  readonly clock: () => number
  readonly sink: EventSink
  readonly counters: VerifierCounters
}

/** Keeps a set of revocations in sync with the service. */
export function createRevocationFeed ({ settings: { url, credentials, policy }, revocations, clock, sink: { emit, warn }, counters }: RevocationFeedDeps) {
  const freshness = createFreshness()
  const failure = createWarnOnce(warn)
  let staleTimer: NodeJS.Timeout | undefined
  let isStale = true

  function becomeStale (): void {
    isStale = true
    emit('stale')
  }

  function onSync (ageMs: number): void {
    counters.syncs++
    freshness.update(ageMs)
    failure.reset()
    const remaining = policy.maxStaleness * 1000 - freshness.age()
    clearTimeout(staleTimer)
    if (remaining >= 0) {
      staleTimer = setTimeout(becomeStale, Math.min(remaining, LONGEST_TIMEOUT)).unref()
      if (isStale) emit('fresh')
      isStale = false
    }
    emit('sync', ageMs)
  }

  function onLost (cause: Error): void {
    counters.feedFailures++
    failure.warn(cause instanceof FeedRefused && cause.isUnauthorized
      ? new VerifierWarning('feed_refused', `The service refused the feed of revocations at ${url}: check the credentials and their scope revocations:read`, cause)
      : new VerifierWarning('feed_lost', `The connection to the feed of revocations at ${url} was lost, retrying`, cause))
  }

  const pruning = setInterval(() => revocations.prune(clock() / 1000), PRUNE_INTERVAL).unref()
  const follower = followFeed({
    url,
    authorize: createAuthorization(credentials),
    renewsToken: credentials.token !== undefined,
    onRevocation (revocation) {
      counters.revocations++
      revocations.add(revocation)
      emit('revocation', revocation)
    },
    onSync,
    onLost
  })

  return {
    /** Milliseconds since the service last read its ledger, as far as is known; `Infinity` before the first `sync`. */
    age: freshness.age,
    close (): void {
      follower.close()
      freshness.stop()
      clearInterval(pruning)
      clearTimeout(staleTimer)
    }
  }
}
