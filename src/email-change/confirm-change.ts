import type { AuditStore } from '../audit/store.ts'
import { Problem } from '../errors.ts'
import type { ClientInfo } from '../http/client-info.ts'
import type { AttemptLimiter, ReportLimits } from '../limits/attempt-limiter.ts'
import type { KnownDevice } from '../limits/login-guard.ts'
import type { Mail } from '../mail/compose.ts'
import type { CreateLink } from '../mail/links.ts'
import { countGuess } from '../mail-requests/count-guess.ts'
import { createOpenSecret, refuseVoid } from '../mail-requests/open-secret.ts'
import { newLinkToken } from '../mail-requests/prepare-mail-request.ts'
import type { MailedProof, MailedSecret, MailedSecretStore } from '../one-time-tokens/mailed-secret-store.ts'
import type { Outbox } from '../outbox/compose.ts'
import type { LedgerSync } from '../revocation/ledger-sync.ts'
import type { ProvePassword } from '../sessions/prove-password.ts'
import type { MissSession } from './asking-session.ts'
import type { ChangeData, ChangeStore } from './change-store.ts'
import { REVERT_DAYS, REVERT_LIFE } from './revert-data.ts'

/** A new address, for whoever shows what was mailed to it, and is the owner of the account. */
export interface Confirmation {
  proof: MailedProof
  /** Of the account, where the request is not of the session that asked. */
  password: string | undefined
  missSession: MissSession
  /** @returns the devices that the request shows, whosever they are */
  findDevices: () => Promise<readonly KnownDevice[]>
  client: ClientInfo
  /** Aborts when the client disconnects. */
  signal: AbortSignal
  /** Gets the headers of the limits. */
  report: ReportLimits
}

export type ConfirmChange = ReturnType<typeof createConfirmChange>

export interface ConfirmChangeDeps {
  limiter: AttemptLimiter
  store: Pick<ChangeStore, 'change'>
  secrets: Pick<MailedSecretStore, 'show'>
  provePassword: ProvePassword
  mail: Pick<Mail, 'message' | 'notice'>
  link: CreateLink
  outbox: Pick<Outbox, 'prepare' | 'wake'>
  ledgerSync: Pick<LedgerSync, 'apply'>
  audit: Pick<AuditStore, 'recordRepeatable'>
}

const PURPOSES = ['email_change'] as const
// An attempt fails only when a login renewed the hash at that moment.
const MAX_ATTEMPTS = 5

export function createConfirmChange ({ limiter, store, secrets, provePassword, mail, link, outbox, ledgerSync, audit }: ConfirmChangeDeps) {
  const { look, open } = createOpenSecret<ChangeData>({ secrets, audit, purposes: PURPOSES, action: 'email_change' })

  return {
    /**
     * Looks at a link, and uses up nothing.
     *
     * @returns the new address, and whether the password has to be given besides
     * @throws Problem where the link is no good
     */
    async look (token: string, missSession: MissSession): Promise<{ email: string, needsPassword: boolean }> {
      const { userId, data: { email, sessionId } } = await look(token)
      return { email, needsPassword: await missSession({ userId, sessionId }) !== undefined }
    },

    /**
     * Changes the address of the account. What is refused for the session, the password or the address uses up nothing.
     *
     * @throws Problem `link_invalid`, `link_used`, `link_expired`, `invalid_code`, `unauthenticated`, `invalid_token`, `different_session`,
     * `invalid_credentials`, `email_taken`, `too_many_requests`, `too_many_failures`, `too_busy`
     */
    confirm: (confirmation: Confirmation): Promise<void> => countGuess(limiter, 'code', confirmation, () => carryOut(confirmation))
  }

  async function carryOut (confirmation: Confirmation): Promise<void> {
    const { proof, client } = confirmation
    const secret = await open(proof, client)
    const revertToken = newLinkToken()
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      const passwordHash = await authorize(secret, confirmation).catch(async (refusal: unknown) => {
        // Another request may have changed the address meanwhile, and ended what this one shows.
        if (refusal instanceof Problem && refusal.statusCode < 500) await open(proof, client)
        throw refusal
      })
      const changed = await store.change({ secret, passwordHash, revertToken, messages: change => messagesOf(secret, revertToken, change) }, client)
      // The next look says why.
      if (changed === 'session_ended' || changed === 'password_changed') continue
      if (changed === 'moved' || changed === 'used') {
        // Another request was faster, or a newer link was mailed meanwhile: this one says which.
        await open(proof, client)
        if (changed === 'moved') refuseVoid(proof)
        continue
      }
      ledgerSync.apply(changed)
      outbox.wake()
      return
    }
    throw new Problem('unavailable')
  }

  /** @returns the hash of the password that was given; `undefined` where the request is of the session that asked */
  async function authorize ({ userId, data: { from, sessionId } }: MailedSecret<ChangeData>, { password, missSession, findDevices, client, report, signal }: Confirmation): Promise<string | undefined> {
    const refusal = await missSession({ userId, sessionId })
    if (refusal === undefined) return undefined
    if (password === undefined) throw refusal
    return await provePassword({ userId, email: from, password, action: 'email_change', client, devices: await findDevices(), report, signal })
  }

  function messagesOf ({ userId, data: { email, from } }: MailedSecret<ChangeData>, revertToken: string, { at, isVerified, locale }: { at: string, isVerified: boolean, locale: string | null }) {
    const revert = { email, at, link: link('email-revert', revertToken), days: REVERT_DAYS }
    return [
      ...isVerified ? [outbox.prepare(mail.message('email_changed', revert, { to: from, locale, expiresIn: REVERT_LIFE }))] : [],
      outbox.prepare(mail.notice('address_changed', { at }, { userId }))
    ]
  }
}
