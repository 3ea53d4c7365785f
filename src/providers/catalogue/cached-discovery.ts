import type { Configuration } from 'openid-client'

const LIFE = 3_600_000
const PAUSE = 60_000

/** What keeping metadata takes besides. */
export interface CachedDiscoveryOptions {
  /** Told why a provider did not answer again. */
  onFailed: (error: unknown) => void
  /** Milliseconds, monotonic. */
  clock?: () => number
}

/**
 * Keeps what was discovered of a provider for an hour. It is asked at the first use and not at the start, which must
 * not depend on anybody else; a failure is not kept, and of many who ask at once one asks the provider. A provider that
 * fails to answer again goes on with what it said before, and is left alone for a minute.
 */
export function cacheDiscovery (discover: () => Promise<Configuration>, { onFailed, clock = () => performance.now() }: CachedDiscoveryOptions): () => Promise<Configuration> {
  let kept: { configuration: Configuration, until: number } | undefined
  let asking: Promise<Configuration> | undefined

  async function ask (): Promise<Configuration> {
    try {
      const configuration = await discover()
      kept = { configuration, until: clock() + LIFE }
      return configuration
    } catch (error) {
      if (kept === undefined) throw error
      onFailed(error)
      kept.until = clock() + PAUSE
      return kept.configuration
    } finally {
      asking = undefined
    }
  }

  return async () => {
    if (kept !== undefined && clock() < kept.until) return kept.configuration
    return await (asking ??= ask())
  }
}
