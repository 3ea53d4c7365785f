import { VerifierWarning } from '../errors.ts'

// Milliseconds.
const EVERY = 60_000

export type ClockWarning = ReturnType<typeof createClockWarning>

/** Warns that the clock of this machine is off: again and again while it is, once a minute. */
export function createClockWarning (warn: (warning: VerifierWarning) => void, monotonic: () => number = () => performance.now()) {
  let warnedAt = -Infinity

  /** @param seconds by which it is ahead of the service's; below 0, behind */
  return (seconds: number): void => {
    if (monotonic() - warnedAt < EVERY) return
    warnedAt = monotonic()
    warn(new VerifierWarning('clock', `The clock of this machine is ${Math.round(Math.abs(seconds))} s ${seconds > 0 ? 'ahead of' : 'behind'} the service's: tokens are accepted and refused at the wrong time`))
  }
}
