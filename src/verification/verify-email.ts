import type { AuditStore } from '../audit/store.ts'
import { Problem } from '../errors.ts'
import type { ClientInfo } from '../http/client-info.ts'
import type { AttemptLimiter, ReportLimits } from '../limits/attempt-limiter.ts'
import type { KnownDevice } from '../limits/login-guard.ts'
import { countGuess } from '../mail-requests/count-guess.ts'
import { createOpenSecret, refuseVoid } from '../mail-requests/open-secret.ts'
import type { MailedProof, MailedSecret, MailedSecretStore } from '../one-time-tokens/mailed-secret-store.ts'
import type { ProvePassword } from '../sessions/prove-password.ts'
import type { VerificationData, VerificationStore } from './verification-store.ts'

/** What was mailed to the address of an account, shown by whom the account belongs to. */
export interface Verification {
  proof: MailedProof
  /** The user of the request's session, if it has one. */
  userId: string | undefined
  /** Of the account, for a request without a session of it. */
  password: string | undefined
  client: ClientInfo
  /** The devices that the request shows, whosever they are. */
  devices: readonly KnownDevice[]
  /** Aborts when the client disconnects. */
  signal: AbortSignal
  /** Gets the headers of the limits. */
  report: ReportLimits
}

export interface VerifyEmailDeps {
  limiter: AttemptLimiter
  store: Pick<VerificationStore, 'verify'>
  secrets: Pick<MailedSecretStore, 'show'>
  provePassword: ProvePassword
  audit: Pick<AuditStore, 'recordRepeatable'>
}

export type VerifyEmail = ReturnType<typeof createVerifyEmail>

const PURPOSES = ['email_verification'] as const

/**
 * Verifies the address of an account. What was mailed shows only who reads the mailbox, and somebody else may have registered
 * its address: a session or the password of the account shows that it is theirs.
 */
export function createVerifyEmail ({ limiter, store, secrets, provePassword, audit }: VerifyEmailDeps) {
  const { look, open } = createOpenSecret<VerificationData>({ secrets, audit, purposes: PURPOSES, action: 'email_verify' })

  return {
    /** Looks at a link, and uses up nothing. @throws Problem where the link is no good */
    async look (token: string): Promise<VerificationData & { userId: string }> {
      const { data, userId } = await look(token)
      return { ...data, userId }
    },

    /**
     * @throws Problem `unauthenticated` without a session and a password, `different_session`, `invalid_credentials`,
     * `link_invalid`, `link_used`, `link_expired`, `invalid_code`, `too_many_requests`, `too_many_failures`, `too_busy`
     */
    verify (verification: Verification): Promise<void> {
      if (verification.userId === undefined && verification.password === undefined) throw new Problem('unauthenticated', { detail: 'The request needs a session of the account, or its password beside what was mailed' })
      return countGuess(limiter, 'code', verification, () => carryOut(verification))
    }
  }

  async function carryOut (verification: Verification): Promise<void> {
    const { proof, client } = verification
    const secret = await open(proof, client)
    await assertOwner(secret, verification)
    const verified = await store.verify(secret, client)
    if (verified === undefined) refuseVoid(proof)
    if (verified === 'verified') return
    // Another request was faster, or a newer link was mailed meanwhile: this one says which.
    await open(proof, client)
    throw new Problem('unavailable')
  }

  async function assertOwner ({ userId, data: { email } }: MailedSecret<VerificationData>, { userId: present, password, ...check }: Verification): Promise<void> {
    if (present === userId) return
    if (password === undefined) throw new Problem('different_session')
    await provePassword({ ...check, action: 'email_verify', userId, email, password })
  }
}
