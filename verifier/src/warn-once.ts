import type { VerifierWarning, WarningCode } from './verifier-events.ts'

/** Something that is tried again and again: it is news when it fails first in one way, and not each time. */
export interface WarnOnce {
  tell (warning: VerifierWarning): void
  /** It went well: the next failure is news. */
  end (): void
}

export function createWarnOnce (warn: (warning: VerifierWarning) => void): WarnOnce {
  const told = new Set<WarningCode>()

  return {
    tell (warning) {
      if (!told.has(warning.code)) warn(warning)
      told.add(warning.code)
    },
    end () {
      told.clear()
    }
  }
}
