import { boundedRequest } from '../net/bounded-request.ts'
import { createBackoff } from '../net/backoff.ts'
import type { VerificationKey } from '../verification-key.ts'
import { createTokenBucket } from './token-bucket.ts'
import { cacheLifetime } from './cache-lifetime.ts'
import { readJwks } from './read-jwks.ts'

const TIMEOUT = 5_000
const MAX_BYTES = 262_144
// Fetches for unknown kids: at most this many at once, then one per interval (milliseconds).
const BURST = 5
const REFILL_INTERVAL = 10_000

export interface JwksDeps {
  readonly url: URL
  readonly audience: string
  /** Called with the keys when they are known, and whenever they have changed. There may be none. */
  readonly onKeys: (keys: readonly VerificationKey[]) => void
  /** Called for each failed fetch. The keys known before stay in use. */
  readonly onFailure: (cause: Error) => void
  readonly onFetch: () => void
  readonly onSuccess: () => void
  /** Milliseconds. */
  readonly firstWait?: number
  readonly longestWait?: number
}

export interface JwksFollower {
  /** Whether the set has been fetched. */
  readonly isKnown: boolean
  /**
   * Fetches the set because a token names a key that is not in it. Concurrent calls share one fetch; too frequent calls do
   * nothing. Never rejects.
   *
   * @returns whether the keys have changed
   */
  refresh (): Promise<boolean>
  close (): void
}

/**
 * Fetches a JWK set, and again when its cache lifetime is over. While it cannot be fetched, the keys known before stay in
 * use without a time limit.
 */
export function followJwks ({ url, audience, onKeys, onFetch, onSuccess, onFailure, firstWait = 500, longestWait = 30_000 }: JwksDeps): JwksFollower {
  const closing = new AbortController()
  const backoff = createBackoff({ first: firstWait, longest: longestWait })
  const takeToken = createTokenBucket(BURST, REFILL_INTERVAL)
  let timer: NodeJS.Timeout | undefined
  let fetching: Promise<boolean> | undefined
  let etag: string | undefined
  let known: string | undefined

  async function fetchKeys (): Promise<boolean> {
    const headers = { accept: 'application/jwk-set+json, application/json', ...etag !== undefined && { 'if-none-match': etag } }
    onFetch()
    const response = await boundedRequest(url, { headers, timeout: TIMEOUT, maxBytes: MAX_BYTES, signal: closing.signal })
    const isUnchanged = response.status === 304 && etag !== undefined
    if (response.status !== 200 && !isUnchanged) throw new Error(`Unexpected JWK set response status ${response.status}`)
    const hasChanged = !isUnchanged && apply(response.body)
    if (!isUnchanged) etag = response.headers.etag
    backoff.reset()
    onSuccess()
    fetchIn(cacheLifetime(response.headers) * 1000 * (0.9 + Math.random() / 10))
    return hasChanged
  }

  function apply (body: string): boolean {
    const keys = readJwks(JSON.parse(body), audience)
    if (body === known) return false
    known = body
    onKeys(keys)
    return true
  }

  function fetchNow (): Promise<boolean> {
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
    if (!closing.signal.aborted) timer = setTimeout(fetchNow, milliseconds).unref()
  }

  void fetchNow()
  return {
    get isKnown () { return known !== undefined },
    refresh: async () => fetching ?? (takeToken() ? fetchNow() : false),
    close () {
      closing.abort()
      clearTimeout(timer)
    }
  }
}
