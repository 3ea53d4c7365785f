import type { Configuration } from 'openid-client'

const LIFE = 3_600_000

/**
 * Keeps what was discovered of a provider for an hour. It is asked at the first use and not at the start, which must
 * not depend on anybody else; a failure is not kept, and of many who ask at once one asks the provider. A provider that
 * fails to answer again goes on with what it said before.
 *
 * @param clock milliseconds, monotonic
 */
export function keepDiscovered (discover: () => Promise<Configuration>, clock: () => number = () => performance.now()): () => Promise<Configuration> {
  let kept: { configuration: Configuration, until: number } | undefined
  let asking: Promise<Configuration> | undefined

  async function ask (): Promise<Configuration> {
    try {
      const configuration = await discover()
      kept = { configuration, until: clock() + LIFE }
      return configuration
    } catch (error) {
      if (kept === undefined) throw error
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
