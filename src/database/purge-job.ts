import { setTimeout } from 'node:timers/promises'

/** Deletes a batch of what is over, unless another instance is at it. @returns how many rows went */
export type PurgeBatch = (limit: number) => Promise<number>

const EVERY = 60_000
const BATCH = 1_000
const PAUSE = 50

/**
 * Purges now and then, in batches with pauses, so that nobody waits for it.
 *
 * @param every milliseconds
 * @returns stops purging
 */
export function startPurgeJob (purges: readonly PurgeBatch[], log: { warn (details: object, message: string): void }, every = EVERY): () => void {
  const stopping = new AbortController()

  async function purgeAll (): Promise<void> {
    for (const purge of purges) {
      await drain(purge).catch((error: unknown) => log.warn({ err: error }, 'could not purge what has expired'))
    }
  }

  async function drain (purge: PurgeBatch): Promise<void> {
    while (!stopping.signal.aborted && await purge(BATCH) === BATCH) await setTimeout(PAUSE)
  }

  async function goOn (): Promise<void> {
    while (!stopping.signal.aborted) {
      await setTimeout(every, undefined, { ref: false, signal: stopping.signal })
      await purgeAll()
    }
  }

  // Only the abort below ends it.
  goOn().catch(() => {})
  return () => stopping.abort()
}
