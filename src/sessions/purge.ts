/** Deletes a batch of what is over, unless another instance is at it. @returns how many rows went */
export type PurgeBatch = (limit: number) => Promise<number>

const EVERY = 60_000
const BATCH = 1_000
const PAUSE = 50

/**
 * Purges now and then, in batches with pauses, so that logins never wait for it.
 *
 * @returns stops purging
 */
export function purgeRegularly (purges: readonly PurgeBatch[], log: { warn (details: object, message: string): void }): () => void {
  let stopped = false
  let timer: NodeJS.Timeout

  async function purgeAll (): Promise<void> {
    for (const purge of purges) {
      while (!stopped && await purge(BATCH) === BATCH) await new Promise(resolve => setTimeout(resolve, PAUSE))
    }
  }

  function schedule (): void {
    timer = setTimeout(() => {
      purgeAll().catch((error: unknown) => log.warn({ err: error }, 'could not purge what has expired')).finally(() => { if (!stopped) schedule() })
    }, EVERY)
    timer.unref()
  }

  schedule()
  return () => {
    stopped = true
    clearTimeout(timer)
  }
}
