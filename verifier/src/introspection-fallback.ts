import { refuse } from './errors.ts'
import { createIntrospectionClient } from './introspection-client.ts'
import { createAuthorization } from './net/client-authorization.ts'
import type { FeedSettings } from './options/feed-options.ts'
import { createWarnOnce } from './warn-once.ts'
import type { VerifierCounters } from './verifier-counters.ts'
import { VerifierWarning, type EventSink } from './verifier-events.ts'

/** Asks the service about a token that nobody here can speak for. */
export interface IntrospectionFallback {
  /** @throws InvalidToken `revoked` where the token is not active, `stale` where the service does not say */
  assertActive (token: string): Promise<void>
  close (): void
}

export function createIntrospectionFallback ({ settings: { introspectionUrl: url, credentials }, telling, counters }: { settings: FeedSettings, telling: EventSink, counters: VerifierCounters }): IntrospectionFallback {
  const outage = createWarnOnce(telling.warn)
  const { isActive, close } = createIntrospectionClient({
    url,
    authorize: createAuthorization(credentials),
    onAsk: () => { counters.introspections++ },
    onAnswer: outage.end,
    onFailure (cause) {
      counters.introspectionFailures++
      outage.tell(new VerifierWarning('introspection_failed', `Nobody answers for tokens at ${url}`, cause))
    }
  })

  return {
    async assertActive (token) {
      const answer = await isActive(token).catch(() => undefined)
      if (answer === undefined) refuse('stale')
      if (!answer) refuse('revoked')
    },
    close
  }
}
