/**
 * Lets something happen so many times at once, and then once in a while: tokens that name keys nobody has come as often
 * as somebody likes.
 *
 * @param burst times; @param every milliseconds in which one more becomes due
 * @returns whether it may happen now, which uses it up
 */
export function createTokenBucket (burst: number, every: number, now: () => number = () => performance.now()): () => boolean {
  let left = burst
  let counted = now()

  return () => {
    const due = Math.floor((now() - counted) / every)
    left = Math.min(burst, left + due)
    counted = left === burst ? now() : counted + due * every
    if (left === 0) return false
    left--
    return true
  }
}
