import { createLedgerClock } from '../clocks/ledger-clock.ts'
import { LEDGER_LIFE } from '../limits.ts'
import type { Revocation } from '../types.ts'

export interface RetentionDeps {
  /** This machine's clock, which tokens are judged by, in Unix milliseconds. */
  readonly clock: () => number
  /** Milliseconds, by a clock that only goes forward. */
  readonly monotonic: () => number
}

/**
 * Decides when a revocation may be forgotten: when both the ledger's clock and this machine's have passed its `expiresAt`. By one
 * alone, a machine whose clock was ahead for a minute would accept revoked tokens again once the clock is right: they are
 * never told twice.
 *
 * A service that does not tell its clock leaves only this machine's. Then nothing is forgotten before the longest life of an
 * entry has passed since it was heard.
 */
export function createRetention ({ clock, monotonic }: RetentionDeps) {
  const ledger = createLedgerClock(monotonic)
  // What this machine's clock would say had nobody set it.
  const offset = clock() - monotonic()
  const steady = () => monotonic() + offset
  let heldUntil = Infinity

  const isUntold = () => ledger.now() === undefined && heldUntil !== Infinity

  return {
    /** @returns the revocation with the `expiresAt` that it is to be kept by */
    keep (revocation: Revocation): Revocation {
      return isUntold() ? { ...revocation, expiresAt: Math.max(revocation.expiresAt, steady() / 1000 + LEDGER_LIFE) } : revocation
    },
    /** @param nowMs the ledger's clock in a `sync` that was just read; `undefined` from a service that does not tell it */
    onSync (nowMs: number | undefined): void {
      if (nowMs !== undefined) ledger.update(nowMs)
      // What was heard before the first `sync` has the expiry that it came with, and is held as long as any can live.
      else if (heldUntil === Infinity) heldUntil = monotonic() + LEDGER_LIFE * 1000
    },
    /** Unix seconds: what has expired by then may be forgotten. */
    expiredBy (): number {
      const told = ledger.now()
      if (told !== undefined) return Math.min(told, clock()) / 1000
      return monotonic() < heldUntil ? -Infinity : Math.min(steady(), clock()) / 1000
    }
  }
}
