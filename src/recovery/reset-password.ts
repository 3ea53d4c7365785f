import type { AuditStore } from '../audit/store.ts'
import { Problem } from '../errors.ts'
import type { ClientInfo } from '../http/client-info.ts'
import type { AttemptLimiter, ReportLimits } from '../limits/attempt-limiter.ts'
import type { Mail } from '../mail/compose.ts'
import { countGuess } from '../mail-requests/count-guess.ts'
import { createOpenSecret, refuseVoid } from '../mail-requests/open-secret.ts'
import type { MailedProof, MailedSecretStore } from '../one-time-tokens/mailed-secret-store.ts'
import type { Outbox } from '../outbox/compose.ts'
import type { Passwords } from '../passwords/compose.ts'
import type { LedgerSync } from '../revocation/ledger-sync.ts'
import type { RecoveryData, RecoveryStore } from './recovery-store.ts'

/** A new password for whoever shows what was mailed to the address of the account. */
export interface PasswordReset {
  proof: MailedProof
  newPassword: string
  client: ClientInfo
  /** Aborts when the client disconnects. */
  signal: AbortSignal
  /** Gets the headers of the limit. */
  report: ReportLimits
}

export type ResetPassword = ReturnType<typeof createResetPassword>

export interface ResetPasswordDeps {
  limiter: AttemptLimiter
  store: RecoveryStore
  secrets: Pick<MailedSecretStore, 'show'>
  passwords: Passwords
  mail: Pick<Mail, 'notice'>
  outbox: Pick<Outbox, 'prepare' | 'wake'>
  ledgerSync: Pick<LedgerSync, 'apply'>
  audit: Pick<AuditStore, 'recordRepeatable'>
}

const PURPOSES = ['password_reset', 'invitation'] as const

export function createResetPassword ({ limiter, store, secrets, passwords, mail, outbox, ledgerSync, audit }: ResetPasswordDeps) {
  const { look, open } = createOpenSecret<RecoveryData>({ secrets, audit, purposes: PURPOSES, action: 'password_reset' })

  return {
    /** Looks at a link, and uses up nothing. @returns the address of the account @throws Problem where the link is no good */
    async look (token: string): Promise<RecoveryData> {
      return (await look(token)).data
    },

    /**
     * Sets a password. It logs nobody in, and second factors stay. What is refused for the password uses up nothing.
     *
     * @throws Problem `link_invalid`, `link_used`, `link_expired`, `invalid_code`, `weak_password`, `too_many_requests`, `too_busy`
     */
    reset: (request: PasswordReset): Promise<void> => countGuess(limiter, 'reset', request, () => carryOut(request))
  }

  async function carryOut ({ proof, newPassword, client, signal }: Omit<PasswordReset, 'report'>): Promise<void> {
    const secret = await open(proof, client)
    const { userId, data: { email } } = secret
    const account = await store.find(email, { isVouchedFor: true })
    if (account?.id !== userId) refuseVoid(proof)
    passwords.assess(newPassword, { email, ...account.name !== null && { name: account.name } }, 'newPassword')
    await passwords.refuseBreached(newPassword, 'newPassword')
    const passwordHash = await passwords.hash(newPassword, { address: client.ip, signal })
    const notice = (at: string) => outbox.prepare(mail.notice('password_changed', { at }, { userId }))
    const set = await store.setPassword({ secret, passwordHash, notice }, client)
    if (set === undefined) refuseVoid(proof)
    if (set === 'used') {
      // Another request was faster, or a newer link was mailed meanwhile: this one says which.
      await open(proof, client)
      throw new Problem('unavailable')
    }
    ledgerSync.apply(set)
    outbox.wake()
  }
}
