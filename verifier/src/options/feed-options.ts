import type { ClientCredentials, FeedOptions, OnStale, StalenessPolicy, VerifierOptions } from '../types.ts'
import { isText, readUrl } from './assert-option.ts'

/** The validated options of a verifier that follows a feed. */
export interface FeedSettings {
  readonly url: URL
  readonly introspectionUrl: URL
  readonly credentials: ClientCredentials
  readonly policy: StalenessPolicy
}

const ON_STALE = ['accept', 'reject', 'introspect'] as const satisfies readonly OnStale[]

/** @throws TypeError whose message begins with the name of the invalid option */
export function readFeedOptions ({ revocations, maxStaleness, onStale }: Pick<VerifierOptions, 'revocations' | 'maxStaleness' | 'onStale'>): FeedSettings | undefined {
  if (revocations === undefined) {
    if (maxStaleness !== undefined) throw new TypeError('maxStaleness has no effect without revocations')
    if (onStale !== undefined) throw new TypeError('onStale has no effect without revocations')
    return undefined
  }
  if (typeof revocations !== 'object' || revocations === null) throw new TypeError('revocations must be an object with a url and credentials')
  const policy = { maxStaleness, onStale }
  checkPolicy(policy)
  const url = readUrl('revocations.url', revocations.url)
  return {
    url,
    introspectionUrl: readUrl('revocations.introspectionUrl', revocations.introspectionUrl ?? new URL('oauth/introspect', url)),
    credentials: readCredentials(revocations),
    policy
  }
}

/** @throws TypeError whose message begins with the name of the invalid option */
export function checkPolicy (policy: { onStale?: unknown, maxStaleness?: unknown }): asserts policy is StalenessPolicy {
  const { onStale, maxStaleness } = policy
  if (!ON_STALE.some(known => known === onStale)) throw new TypeError(`onStale must be one of ${ON_STALE.join(', ')}`)
  if (typeof maxStaleness !== 'number' || !Number.isFinite(maxStaleness) || maxStaleness <= 0) {
    throw new TypeError('maxStaleness must be a number of seconds above 0')
  }
}

function readCredentials ({ clientId, clientSecret, token }: FeedOptions): ClientCredentials {
  if (typeof token === 'function') return { token }
  if (token !== undefined) throw new TypeError('revocations.token must be a function')
  if (!isText(clientId)) throw new TypeError('revocations.clientId must be a non-empty string, unless there is a token')
  if (!isText(clientSecret)) throw new TypeError('revocations.clientSecret must be a non-empty string')
  return { clientId, clientSecret }
}
