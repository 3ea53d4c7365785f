import type { AuditStore } from '../audit/store.ts'
import { Problem } from '../errors.ts'
import type { ClientInfo } from '../http/client-info.ts'
import { whileReserved, type AttemptLimiter, type ReportLimits } from '../limits/attempt-limiter.ts'
import type { LoginGuard } from '../limits/login-guard.ts'
import { countRightPassword, reserveGuess } from '../sessions/login-attempt.ts'

/** A password that a logged-in user gives. */
export interface PasswordGuess {
  userId: string
  sessionId: string
  /** Of the account. */
  email: string
  client: ClientInfo
  /** Gets the headers of the limits. */
  report: ReportLimits
}

export interface PasswordGuessesDeps {
  limiter: AttemptLimiter
  loginGuard: LoginGuard | undefined
  audit: Pick<AuditStore, 'recordRepeatable'>
}

export type PasswordGuesses = ReturnType<typeof createPasswordGuesses>

/**
 * Limits the guesses of whoever holds a session of the account: they count with those at login. A right password is no guess,
 * but costs a hash, and counts as a login does.
 */
export function createPasswordGuesses ({ limiter, loginGuard, audit }: PasswordGuessesDeps) {
  return {
    /**
     * Verifies a password with `verify`.
     *
     * @throws Problem 429 `too_many_requests`, `too_many_failures`
     */
    async check ({ userId, sessionId, email, client, report }: PasswordGuess, verify: () => Promise<boolean>): Promise<boolean> {
      const reservation = await reserveGuess(limiter, { email, client, report, findOwnDevice: async () => sessionId })
      const ticket = await whileReserved(reservation, async () => await loginGuard?.reserveForSession(userId, sessionId))
      const giveBackFailure = async () => { if (ticket !== undefined) await loginGuard?.giveBack(ticket) }
      const giveBack = async () => { await Promise.all([reservation.giveBack(), giveBackFailure()]) }
      if (!await whileReserved({ giveBack }, verify)) return false
      await countRightPassword(limiter, userId, { giveBack, giveBackFailure }).catch((error: unknown) => {
        // The password was right, and may have been guessed: that leaves a trace too.
        if (error instanceof Problem) audit.recordRepeatable({ action: 'password_change', outcome: 'failure', actorId: userId, subjectId: userId, sessionId, detail: { code: error.code }, ...client })
        throw error
      })
      await giveBack()
      return true
    }
  }
}
