import { createAuthorization } from '../net/client-authorization.ts'
import type { FeedSettings } from '../options/feed-options.ts'
import { createWarnOnce } from '../warn-once.ts'
import type { RevocationSet } from '../revocation-set.ts'
import type { VerifierCounters } from '../verifier-counters.ts'
import { VerifierWarning, type EventSink } from '../verifier-events.ts'
import { FeedRefused } from './feed-refused.ts'
import { followFeed, type FeedTiming } from './follow-feed.ts'
import { createFreshness } from './freshness.ts'

const PRUNE_EVERY = 60_000

export interface RevocationFeedDeps {
  readonly settings: FeedSettings
  readonly set: RevocationSet
  /** The time in milliseconds since 1970. */
  readonly clock: () => number
  readonly telling: EventSink
  readonly counters: VerifierCounters
  readonly timing?: Partial<FeedTiming>
}

/** Keeps a set of revocations in step with the service's. */
export interface RevocationFeed {
  /** Milliseconds since the service last read its ledger, as far as this verifier knows; `Infinity` before the first `sync`. */
  age (): number
  close (): void
}

export function createRevocationFeed ({ settings, set, clock, telling: { tell, warn }, counters, timing = {} }: RevocationFeedDeps): RevocationFeed {
  const { url, credentials, policy } = settings
  const freshness = createFreshness()
  const outage = createWarnOnce(warn)
  let staleIn: NodeJS.Timeout | undefined
  let wasStale = true

  function turnStale (): void {
    wasStale = true
    tell('stale')
  }

  function attest (ageMs: number): void {
    counters.syncs++
    freshness.attest(ageMs)
    outage.end()
    const left = policy.maxStaleness * 1000 - freshness.age()
    clearTimeout(staleIn)
    if (left >= 0) {
      staleIn = setTimeout(turnStale, Math.min(left, 2 ** 31 - 1)).unref()
      if (wasStale) tell('fresh')
      wasStale = false
    }
    tell('sync', ageMs)
  }

  function lose (cause: Error): void {
    counters.feedFailures++
    const isRefused = cause instanceof FeedRefused && cause.isOfCredentials
    outage.tell(isRefused
      ? new VerifierWarning('feed_refused', `The service refuses this verifier its feed of revocations at ${url}: check its credentials and their scope revocations:read`, cause)
      : new VerifierWarning('feed_lost', `No feed of revocations from ${url}, trying again`, cause))
  }

  const pruning = setInterval(() => set.prune(clock() / 1000), PRUNE_EVERY).unref()
  const follower = followFeed({
    url,
    authorize: createAuthorization(credentials),
    renews: credentials.token !== undefined,
    onRevocation (revocation) {
      counters.revocations++
      set.add(revocation)
      tell('revocation', revocation)
    },
    onSync: attest,
    onLost: lose,
    timing
  })

  return {
    age: freshness.age,
    close () {
      follower.close()
      freshness.stop()
      clearInterval(pruning)
      clearTimeout(staleIn)
    }
  }
}
