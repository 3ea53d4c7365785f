import type { Configuration } from 'openid-client'

const MAX_AGE = 3_600_000
const RETRY_AFTER = 60_000

export interface CachedDiscoveryOptions {
  /** Called when refreshing the metadata fails. */
  onFailed: (error: unknown) => void
  /** Milliseconds, monotonic. */
  clock?: () => number
}

/**
 * Caches a provider's metadata for an hour. It is fetched at the first use, so that the start does not depend on a provider.
 * Concurrent callers share one request. A failed first fetch is not cached. When refreshing fails, the old metadata stays in
 * use and the next attempt is a minute later.
 */
export function cacheDiscovery (discover: () => Promise<Configuration>, { onFailed, clock = () => performance.now() }: CachedDiscoveryOptions): () => Promise<Configuration> {
  let cached: { configuration: Configuration, until: number } | undefined
  let pending: Promise<Configuration> | undefined

  async function refresh (): Promise<Configuration> {
    try {
      const configuration = await discover()
      cached = { configuration, until: clock() + MAX_AGE }
      return configuration
    } catch (error) {
      if (cached === undefined) throw error
      onFailed(error)
      cached.until = clock() + RETRY_AFTER
      return cached.configuration
    } finally {
      pending = undefined
    }
  }

  return async () => {
    if (cached !== undefined && clock() < cached.until) return cached.configuration
    return await (pending ??= refresh())
  }
}
