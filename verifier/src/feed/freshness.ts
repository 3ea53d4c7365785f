import { createElapsedTime, type ElapsedTime } from '../clocks/elapsed-time.ts'

// Milliseconds.
const TICK = 250
const LATE = 2 * TICK

export interface FreshnessDeps {
  readonly elapsed?: ElapsedTime
  /** Called when the machine was found to have slept: the age has grown by that. */
  readonly onSlept?: () => void
}

/**
 * The age of the known revocations, by a clock that only goes forward, counted from when a `sync` was received.
 *
 * A suspended process finds old events in its buffers when it wakes up, and so does one whose machine was suspended. So after
 * a gap, what is received counts from the last moment at which nothing was waiting to be read.
 */
export function createFreshness ({ elapsed = createElapsedTime(), onSlept }: FreshnessDeps = {}) {
  const { now } = elapsed
  let readAt = -Infinity
  let lastIdle = now()

  function beat (): void {
    if (elapsed.beat()) onSlept?.()
  }

  // The immediate runs after everything that had arrived by then has been read.
  const ticking = setInterval(() => {
    beat()
    setImmediate(() => { lastIdle = now() }).unref()
  }, TICK).unref()

  return {
    /** Records a `sync` that was just read. @returns whether it may have waited for long to be read */
    update (ageMs: number): boolean {
      beat()
      const isLate = now() - lastIdle > LATE
      // Behind one address may be two instances, and the second may have read its ledger earlier.
      readAt = Math.max(readAt, (isLate ? lastIdle : now()) - ageMs)
      return isLate
    },
    /** Milliseconds since the service began its last confirmed read of the ledger; `Infinity` before the first `sync`. */
    age: (): number => now() - readAt,
    stop: (): void => clearInterval(ticking)
  }
}
