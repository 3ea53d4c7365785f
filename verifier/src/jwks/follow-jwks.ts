import { boundedRequest } from '../net/bounded-request.ts'
import { createBackoff } from '../net/backoff.ts'
import type { VerificationKey } from '../verification-key.ts'
import { createTokenBucket } from './token-bucket.ts'
import { cacheLifetime } from './cache-lifetime.ts'
import { readJwks } from './read-jwks.ts'

const TIMEOUT = 5_000
const MOST_BYTES = 262_144
// For kids that nobody knew: so many fetches at once, and then one in so many milliseconds.
const BURST = 5
const ONE_MORE_EVERY = 10_000

/** Where the keys are, and who is told. */
export interface JwksDeps {
  readonly url: URL
  readonly audience: string
  /** Told of the keys when they are known, and whenever they have changed; there may be none. */
  readonly onKeys: (keys: readonly VerificationKey[]) => void
  /** Told of each fetch that failed; what was known before stays. */
  readonly onFailure: (cause: Error) => void
  /** Told of each fetch as it begins. */
  readonly onFetch: () => void
  /** Told of each fetch that went well. */
  readonly onSuccess: () => void
  /** Milliseconds. */
  readonly firstWait?: number
  readonly longestWait?: number
}

/** Keeps the keys of a JWK set at hand. */
export interface JwksFollower {
  /** Whether the set is known. */
  readonly isKnown: boolean
  /**
   * Fetches the set, for a token names a key that is not in it. One fetch serves all who ask meanwhile; asked too often
   * it does nothing.
   *
   * @returns whether the keys have changed
   */
  lookAgain (): Promise<boolean>
  close (): void
}

/**
 * Fetches a JWK set, and again when its time by the cache headers is up. While it cannot be fetched, what was known
 * before stays, for however long.
 */
export function followJwks ({ url, audience, onKeys, onFetch, onSuccess, onFailure, firstWait = 500, longestWait = 30_000 }: JwksDeps): JwksFollower {
  const closing = new AbortController()
  const backoff = createBackoff({ first: firstWait, longest: longestWait })
  const isAllowed = createTokenBucket(BURST, ONE_MORE_EVERY)
  let timer: NodeJS.Timeout | undefined
  let fetching: Promise<boolean> | undefined
  let etag: string | undefined
  let known: string | undefined

  async function fetchKeys (): Promise<boolean> {
    const headers = { accept: 'application/jwk-set+json, application/json', ...etag !== undefined && { 'if-none-match': etag } }
    onFetch()
    const answer = await boundedRequest(url, { headers, timeout: TIMEOUT, maxBytes: MOST_BYTES, signal: closing.signal })
    const isUnchanged = answer.status === 304 && etag !== undefined
    if (answer.status !== 200 && !isUnchanged) throw new Error(`The JWK set was answered ${answer.status}`)
    const hasChanged = !isUnchanged && take(answer.body)
    if (!isUnchanged) etag = answer.headers.etag
    backoff.reset()
    onSuccess()
    fetchIn(cacheLifetime(answer.headers) * 1000 * (0.9 + Math.random() / 10))
    return hasChanged
  }

  function take (body: string): boolean {
    const keys = readJwks(JSON.parse(body), audience)
    if (body === known) return false
    known = body
    onKeys(keys)
    return true
  }

  function refresh (): Promise<boolean> {
    fetching ??= fetchKeys().catch((cause: Error) => {
      if (!closing.signal.aborted) {
        onFailure(cause)
        fetchIn(backoff.next())
      }
      return false
    }).finally(() => { fetching = undefined })
    return fetching
  }

  function fetchIn (milliseconds: number): void {
    clearTimeout(timer)
    if (!closing.signal.aborted) timer = setTimeout(refresh, milliseconds).unref()
  }

  void refresh()
  return {
    get isKnown () { return known !== undefined },
    lookAgain: async () => fetching ?? (isAllowed() ? refresh() : false),
    close () {
      closing.abort()
      clearTimeout(timer)
    }
  }
}
