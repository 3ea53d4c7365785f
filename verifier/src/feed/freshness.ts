// Milliseconds.
const TICK = 250
const LATE = 2 * TICK

/**
 * The age of the known revocations, by the monotonic clock, counted from when a `sync` was received.
 *
 * A suspended process finds old events in its buffers when it wakes up. So after a gap, what is received counts from the
 * last moment at which nothing was waiting to be read.
 */
export function createFreshness (now: () => number = () => performance.now()) {
  let readAt = -Infinity
  let lastIdle = now()

  // The immediate runs after everything that had arrived by then has been read.
  const ticking = setInterval(() => setImmediate(() => { lastIdle = now() }).unref(), TICK).unref()

  return {
    /** Records a `sync` that was just received. */
    update (ageMs: number): void {
      const received = now() - lastIdle > LATE ? lastIdle : now()
      // Behind one address may be two instances, and the second may have read its ledger earlier.
      readAt = Math.max(readAt, received - ageMs)
    },
    /** Milliseconds since the service began its last confirmed read of the ledger; `Infinity` before the first `sync`. */
    age: (): number => now() - readAt,
    stop: (): void => clearInterval(ticking)
  }
}
