import type { VerifierWarning } from './verifier-events.ts'

/** Something that is tried again and again: it is news when it fails first, and not each time. */
export interface Outage {
  tell (warning: VerifierWarning): void
  /** It went well: the next failure is news. */
  end (): void
}

export function createOutage (warn: (warning: VerifierWarning) => void): Outage {
  let isTold = false

  return {
    tell (warning) {
      if (!isTold) warn(warning)
      isTold = true
    },
    end () {
      isTold = false
    }
  }
}
