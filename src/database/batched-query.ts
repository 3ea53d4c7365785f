// The second goes on while one hangs, until its timeout.
const MOST_RUNNING = 2

/**
 * Lets many callers share queries: two run at a time, for all who came while those before ran. So however many ask, the database
 * has two queries of them, and nobody is turned away for it.
 *
 * @param load answers keys, in their order; what it throws is thrown to each who asked
 * @param maxKeys how many one query takes
 */
export function createBatchedQuery<Key, Found> (load: (keys: readonly Key[]) => Promise<readonly Found[]>, maxKeys = 500) {
  const waiting: Array<{ key: Key, resolve (found: Found): void, reject (error: unknown): void }> = []
  let running = 0

  async function run (): Promise<void> {
    running++
    while (waiting.length > 0) {
      const batch = waiting.splice(0, maxKeys)
      try {
        const found = await load(batch.map(({ key }) => key))
        batch.forEach(({ resolve }, index) => resolve(found[index] as Found))
      } catch (error) {
        for (const { reject } of batch) reject(error)
      }
    }
    running--
  }

  return (key: Key): Promise<Found> => new Promise((resolve, reject) => {
    waiting.push({ key, resolve, reject })
    if (running < MOST_RUNNING) void run()
  })
}
