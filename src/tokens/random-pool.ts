import { randomFillSync } from 'node:crypto'

/**
 * Returns random bytes from a pool, each once. Generating sixteen takes as long as generating thousands, so the pool is
 * filled all at once. For public values such as ids, not for secrets: the bytes to come are in memory.
 *
 * @param size bytes per call
 */
export function createRandomPool (size: number): () => Buffer {
  const pool = Buffer.alloc(size * 256)
  let used = pool.length

  return () => {
    if (used === pool.length) {
      randomFillSync(pool)
      used = 0
    }
    const start = used
    used += size
    return Buffer.from(pool.subarray(start, used))
  }
}
