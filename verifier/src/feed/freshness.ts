const BEAT_EVERY = 250
const LATE = 2 * BEAT_EVERY

/** How old what is known of revocations is, by the monotonic clock. */
export interface Freshness {
  /** Takes note of a `sync` that has just come in. @param ageMs what it says */
  attest (ageMs: number): void
  /** Milliseconds since the last read of the ledger began that the service told of; `Infinity` before the first. */
  age (): number
  stop (): void
}

/**
 * Counts from when a `sync` was received. A process that slept finds in its buffers what came long ago: what is received
 * after such a gap counts from the last moment at which nothing was waiting.
 */
export function createFreshness (now: () => number = () => performance.now()): Freshness {
  let readAt = -Infinity
  let awake = now()

  // The immediate runs when everything that had come by then has been read.
  const beat = setInterval(() => setImmediate(() => { awake = now() }).unref(), BEAT_EVERY).unref()

  return {
    attest (ageMs) {
      const received = now() - awake > LATE ? awake : now()
      // Of two instances behind one address the second may have read earlier than the first.
      readAt = Math.max(readAt, received - ageMs)
    },
    age: () => now() - readAt,
    stop: () => clearInterval(beat)
  }
}
