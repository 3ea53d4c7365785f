import { randomFillSync } from 'node:crypto'

/**
 * Hands out random bytes, each once, from a stock that is filled as a whole: to ask the system for sixteen takes as long
 * as to ask it for thousands.
 *
 * @param size how many bytes a time
 */
export function createRandomBytes (size: number): () => Buffer {
  const stock = Buffer.alloc(size * 256)
  let used = stock.length

  return () => {
    if (used === stock.length) {
      randomFillSync(stock)
      used = 0
    }
    const bytes = Buffer.from(stock.subarray(used, used + size))
    // What was given out is nobody else's to read.
    stock.fill(0, used, used += size)
    return bytes
  }
}
