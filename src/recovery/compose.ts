import type { AuditStore } from '../audit/store.ts'
import type { Database } from '../database/database.ts'
import type { Limits } from '../limits/compose.ts'
import type { Mail } from '../mail/compose.ts'
import { prepareMailRequest } from '../mail-requests/prepare-mail-request.ts'
import { isLocale } from '../messages/locales.ts'
import type { MailedSecretStore } from '../one-time-tokens/mailed-secret-store.ts'
import type { Outbox } from '../outbox/compose.ts'
import type { Passwords } from '../passwords/compose.ts'
import type { LedgerSync } from '../revocation/ledger-sync.ts'
import { createForgotFlow, FORGOT_FLOW } from './forgot-flow.ts'
import { createRecoveryStore } from './recovery-store.ts'
import { createResetPassword } from './reset-password.ts'

export interface RecoveryDeps {
  database: Database
  limits: Pick<Limits, 'limiter'>
  secrets: MailedSecretStore
  passwords: Passwords
  mail: Mail
  outbox: Outbox
  ledgerSync: Pick<LedgerSync, 'apply'>
  audit: AuditStore
}

/** How people come back into their accounts by mail. */
export function composeRecovery ({ database, limits: { limiter }, secrets, passwords, mail, outbox, ledgerSync, audit }: RecoveryDeps) {
  const store = createRecoveryStore(database)
  return {
    /** Makes a request for a mail with a link to choose a new password, for what takes an account back. */
    prepareReset: ({ email, locale }: { email: string, locale: string | null }) =>
      prepareMailRequest(outbox, { flow: FORGOT_FLOW, email, locale: isLocale(locale) ? locale : null, isUnasked: true }).row,
    flows: [createForgotFlow({ store, secrets, link: mail.link })],
    resetPassword: createResetPassword({ limiter, store, secrets, passwords, mail, outbox, ledgerSync, audit })
  }
}
