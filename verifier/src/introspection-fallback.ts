import { refuse, VerifierWarning } from './errors.ts'
import { createIntrospectionClient } from './introspection-client.ts'
import { createAuthorization } from './net/client-authorization.ts'
import type { FeedSettings } from './options/feed-options.ts'
import type { VerifierCounters } from './types.ts'
import type { EventSink } from './verifier-events.ts'
import { createWarnOnce } from './warn-once.ts'

export interface IntrospectionFallbackDeps {
  readonly settings: FeedSettings
  readonly sink: EventSink
  readonly counters: VerifierCounters
  /** Milliseconds, by a clock that only goes forward. */
  readonly now: () => number
}

/** Asks the service about tokens while revocations are stale. */
export function createIntrospectionFallback ({ settings: { introspectionUrl: url, credentials }, sink, counters, now }: IntrospectionFallbackDeps) {
  const failure = createWarnOnce(sink.warn)
  const { isActive, close } = createIntrospectionClient({
    url,
    authorize: createAuthorization(credentials),
    now,
    onRequest: () => { counters.introspections++ },
    onSuccess: failure.reset,
    onFailure (cause) {
      counters.introspectionFailures++
      failure.warn(new VerifierWarning('introspection_failed', `Introspection at ${url} failed`, cause))
    }
  })

  return {
    /** @throws InvalidToken `revoked` if the token is not active, `stale` if the service does not answer */
    async assertActive (token: string): Promise<void> {
      const active = await isActive(token).catch(() => undefined)
      if (active === undefined) refuse('stale')
      if (!active) refuse('revoked')
    },
    close
  }
}
