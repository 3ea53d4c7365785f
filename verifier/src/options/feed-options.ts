import type { ClientCredentials } from '../net/client-authorization.ts'
import { checkPolicy, type StalenessPolicy } from '../staleness.ts'
import { isText, readUrl } from './assert-option.ts'

/** Whose feed of revocations to follow. */
export type FeedOptions = ClientCredentials & {
  /** The service's feed, for example `https://auth.example.com/revocations`. */
  readonly url: string | URL
  /** Where `onStale: "introspect"` asks; by default `oauth/introspect` beside the feed. */
  readonly introspectionUrl?: string | URL
}

/** Whoever follows the feed has to say what is done while it cannot be followed. */
export interface Following extends StalenessPolicy {
  readonly revocations: FeedOptions
}

/** Whoever does not, has nothing to be stale. */
export interface NotFollowing {
  readonly revocations?: undefined
  readonly maxStaleness?: undefined
  readonly onStale?: undefined
}

/** What following takes, read and found good. */
export interface FeedSettings {
  readonly url: URL
  readonly introspectionUrl: URL
  readonly credentials: ClientCredentials
  readonly policy: StalenessPolicy
}

/** @throws TypeError that begins with the name of the option that is not good */
export function readFeedOptions ({ revocations, maxStaleness, onStale }: Following | NotFollowing): FeedSettings | undefined {
  if (revocations === undefined) {
    if (maxStaleness !== undefined) throw new TypeError('maxStaleness is of no use without revocations')
    if (onStale !== undefined) throw new TypeError('onStale is of no use without revocations')
    return undefined
  }
  if (typeof revocations !== 'object' || revocations === null) throw new TypeError('revocations must be an object with a url and credentials')
  checkPolicy({ maxStaleness, onStale })
  const url = readUrl('revocations.url', revocations.url)
  return {
    url,
    introspectionUrl: readUrl('revocations.introspectionUrl', revocations.introspectionUrl ?? new URL('oauth/introspect', url)),
    credentials: readCredentials(revocations),
    policy: { maxStaleness, onStale }
  }
}

function readCredentials ({ clientId, clientSecret, token }: FeedOptions): ClientCredentials {
  if (typeof token === 'function') return { token }
  if (token !== undefined) throw new TypeError('revocations.token must be a function')
  if (!isText(clientId)) throw new TypeError('revocations.clientId must be text, unless there is a token')
  if (!isText(clientSecret)) throw new TypeError('revocations.clientSecret must be text')
  return { clientId, clientSecret }
}
