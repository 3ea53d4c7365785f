import { setTimeout } from 'node:timers/promises'

/** Deletes a batch of expired rows, unless another instance is purging them. @returns how many were deleted */
export type PurgeBatch = (limit: number) => Promise<number>

const EVERY = 60_000
const BATCH = 1_000
const PAUSE = 50

/**
 * Purges at intervals, in batches with pauses, so that nothing else waits for it.
 *
 * @param every milliseconds
 * @returns stops purging
 */
export function startPurgeJob (purges: readonly PurgeBatch[], log: { warn (details: object, message: string): void }, every = EVERY): () => void {
  const stopping = new AbortController()

  async function purgeAll (): Promise<void> {
    for (const purge of purges) {
      await drain(purge).catch((error: unknown) => log.warn({ err: error }, 'purge of expired rows failed'))
    }
  }

  async function drain (purge: PurgeBatch): Promise<void> {
    while (!stopping.signal.aborted && await purge(BATCH) === BATCH) await setTimeout(PAUSE)
  }

  async function run (): Promise<void> {
    while (!stopping.signal.aborted) {
      await setTimeout(every, undefined, { ref: false, signal: stopping.signal })
      await purgeAll()
    }
  }

  // Only the abort below rejects it.
  run().catch(() => {})
  return () => stopping.abort()
}
