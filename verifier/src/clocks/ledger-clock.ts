import { LEDGER_LIFE } from '../limits.ts'

const WINDOW = LEDGER_LIFE * 1000

/**
 * The clock that `expiresAt` is by, as the service told it and carried on by a clock that only goes forward, so that
 * setting this machine's clock does not change it. Of what was told in the last hours, the earliest counts: neither a database
 * that takes over with a wrong clock nor an event that was read late may put it forward.
 *
 * @param monotonic milliseconds
 */
export function createLedgerClock (monotonic: () => number) {
  let [current, previous] = [Infinity, Infinity]
  let since = monotonic()

  return {
    /** @param nowMs what the clock says, in Unix milliseconds */
    update (nowMs: number): void {
      if (monotonic() - since > WINDOW) {
        previous = current
        current = Infinity
        since = monotonic()
      }
      current = Math.min(current, nowMs - monotonic())
    },
    /** Unix milliseconds; `undefined` while it was never told. */
    now (): number | undefined {
      const offset = Math.min(current, previous)
      return offset === Infinity ? undefined : monotonic() + offset
    }
  }
}
