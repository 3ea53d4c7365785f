import { uptime } from 'node:os'

// Milliseconds by which two clocks may differ without anything having slept: some systems count their uptime in seconds.
const NOISE = 1_500

export type ElapsedTime = ReturnType<typeof createElapsedTime>

export interface ElapsedTimeDeps {
  /** Milliseconds, by a clock that only goes forward. */
  readonly monotonic?: () => number
  /** Seconds since the machine was started, its sleep included. */
  readonly uptime?: () => number
}

/**
 * A clock that only goes forward, and counts the time that the machine slept, in milliseconds.
 *
 * The monotonic clock of Node stands still while the machine is suspended; its uptime does not (CLOCK_BOOTTIME).
 */
export function createElapsedTime ({ monotonic = () => performance.now(), uptime: up = systemUptime }: ElapsedTimeDeps = {}) {
  const ahead = () => up() * 1000 - monotonic()
  const atStart = ahead()
  let slept = 0

  return {
    now: (): number => monotonic() + slept,
    /** Looks whether the machine has slept. Too expensive for every use of the clock. @returns whether it has, since the last time */
    beat (): boolean {
      const behind = ahead() - atStart
      // Not `<=`: where the system does not tell its uptime, this is NaN.
      if (!(behind - slept > NOISE)) return false
      slept = behind
      return true
    }
  }
}

function systemUptime (): number {
  try {
    return uptime()
  } catch {
    return NaN
  }
}
