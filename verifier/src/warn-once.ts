import type { VerifierWarning, WarningCode } from './errors.ts'

/** Warns of a failure that repeats with every retry: once for each code, until the next success. */
export function createWarnOnce (emitWarning: (warning: VerifierWarning) => void) {
  const warned = new Set<WarningCode>()

  return {
    warn (warning: VerifierWarning): void {
      if (!warned.has(warning.code)) emitWarning(warning)
      warned.add(warning.code)
    },
    /** After a success: the next failure is worth a warning again. */
    reset (): void {
      warned.clear()
    }
  }
}
