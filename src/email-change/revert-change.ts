import type { AuditStore } from '../audit/store.ts'
import { Problem } from '../errors.ts'
import type { ClientInfo } from '../http/client-info.ts'
import type { AttemptLimiter, ReportLimits } from '../limits/attempt-limiter.ts'
import type { Mail } from '../mail/compose.ts'
import { countGuess } from '../mail-requests/count-guess.ts'
import { createOpenSecret } from '../mail-requests/open-secret.ts'
import type { MailedSecretStore } from '../one-time-tokens/mailed-secret-store.ts'
import type { Outbox } from '../outbox/compose.ts'
import type { OutboxRow } from '../outbox/enqueue.ts'
import type { LedgerSync } from '../revocation/ledger-sync.ts'
import type { RevertData } from './revert-data.ts'
import type { RevertedAccount, RevertStore } from './revert-store.ts'

/** A link to come back that was followed. */
export interface Revert {
  token: string
  client: ClientInfo
  /** Gets the headers of the limit. */
  report: ReportLimits
}

export type RevertChange = ReturnType<typeof createRevertChange>

export interface RevertChangeDeps {
  limiter: AttemptLimiter
  store: RevertStore
  secrets: Pick<MailedSecretStore, 'show'>
  mail: Pick<Mail, 'message' | 'notice'>
  /** Makes a request for a mail by which the owner chooses a new password. */
  prepareReset: (request: { email: string, locale: string | null }) => OutboxRow
  outbox: Pick<Outbox, 'prepare' | 'wake'>
  ledgerSync: Pick<LedgerSync, 'apply'>
  audit: Pick<AuditStore, 'recordRepeatable'>
}

const PURPOSES = ['email_revert'] as const
const NOTICE_LIFE = 3 * 86_400

export function createRevertChange ({ limiter, store, secrets, mail, prepareReset, outbox, ledgerSync, audit }: RevertChangeDeps) {
  const { look, open } = createOpenSecret<RevertData>({ secrets, audit, purposes: PURPOSES, action: 'email_revert' })

  return {
    /** Looks at a link, and uses up nothing. @returns the address that comes back @throws Problem where the link is no good */
    async look (token: string): Promise<Pick<RevertData, 'email'>> {
      return { email: (await look(token)).data.email }
    },

    /**
     * Takes an account back for the owner of a former address. It logs nobody in: a mail to choose a new password follows.
     *
     * @throws Problem `link_invalid`, `link_used`, `link_expired`, `account_disabled`, `email_taken`, `too_many_requests`
     */
    revert: (revert: Revert): Promise<void> => countGuess(limiter, 'reset', revert, () => carryOut(revert))
  }

  async function carryOut ({ token, client }: Omit<Revert, 'report'>): Promise<void> {
    const secret = await open({ token }, client)
    const { email } = secret.data
    const messages = ({ from, at, locale }: RevertedAccount) => [
      outbox.prepare(mail.message('email_reverted', { at }, { to: email, locale, expiresIn: NOTICE_LIFE })),
      prepareReset({ email, locale }),
      // If the link was not in its owner's hands, whoever has the account learns of it.
      ...from === email ? [] : [outbox.prepare(mail.notice('address_removed', { at }, { to: from, locale }))]
    ]
    const reverted = await store.revert({ secret, messages }, client)
    if (reverted === 'gone') throw new Problem('link_invalid')
    if (reverted === 'disabled') throw new Problem('account_disabled')
    if (reverted === 'used') {
      // Another request was faster, or an earlier link has voided this one: this one says which.
      await open({ token }, client)
      throw new Problem('unavailable')
    }
    ledgerSync.apply(reverted)
    outbox.wake()
  }
}
