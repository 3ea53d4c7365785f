import { randomFillSync } from 'node:crypto'

/**
 * Hands out random bytes, each once, from a stock that is filled as a whole: to ask for sixteen takes as long as to ask for
 * thousands. For what is published, as ids are, and not for secrets: what is yet to be handed out lies in memory.
 *
 * @param size how many bytes a time
 */
export function createRandomPool (size: number): () => Buffer {
  const stock = Buffer.alloc(size * 256)
  let used = stock.length

  return () => {
    if (used === stock.length) {
      randomFillSync(stock)
      used = 0
    }
    const start = used
    used += size
    return Buffer.from(stock.subarray(start, used))
  }
}
