/**
 * A token bucket, to limit fetches: a client can send tokens with unknown keys as often as it likes.
 *
 * @param burst capacity; @param every milliseconds until one is refilled
 * @returns a function that takes one, and returns whether there was one
 */
export function createTokenBucket (burst: number, every: number, now: () => number = () => performance.now()): () => boolean {
  let left = burst
  let refilledAt = now()

  return () => {
    const due = Math.floor((now() - refilledAt) / every)
    left = Math.min(burst, left + due)
    refilledAt = left === burst ? now() : refilledAt + due * every
    if (left === 0) return false
    left--
    return true
  }
}
