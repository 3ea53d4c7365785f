import type { AuditStore } from '../audit/store.ts'
import type { Database } from '../database/database.ts'
import type { Limits } from '../limits/compose.ts'
import type { Mail } from '../mail/compose.ts'
import type { AskForMail } from '../mail-requests/ask-for-mail.ts'
import type { MailedSecretStore } from '../one-time-tokens/mailed-secret-store.ts'
import type { Outbox } from '../outbox/compose.ts'
import type { LedgerSync } from '../revocation/ledger-sync.ts'
import type { Sessions } from '../sessions/compose.ts'
import { createAskChange } from './ask-change.ts'
import { createChangeFlow } from './change-flow.ts'
import { createChangeStore } from './change-store.ts'
import { createConfirmChange } from './confirm-change.ts'
import { createHoldPurge } from './hold-store.ts'
import { createRevertChange, type RevertChangeDeps } from './revert-change.ts'
import { createRevertStore } from './revert-store.ts'

export interface EmailChangeDeps {
  database: Database
  limits: Pick<Limits, 'limiter'>
  sessions: Pick<Sessions, 'provePassword'>
  secrets: MailedSecretStore
  askForMail: AskForMail
  prepareReset: RevertChangeDeps['prepareReset']
  mail: Mail
  outbox: Outbox
  ledgerSync: Pick<LedgerSync, 'apply'>
  audit: AuditStore
}

export type EmailChange = ReturnType<typeof composeEmailChange>

/** How an account gets another address, and its former one back. */
export function composeEmailChange ({ database, limits: { limiter }, sessions: { provePassword }, secrets, askForMail, prepareReset, mail, outbox, ledgerSync, audit }: EmailChangeDeps) {
  const store = createChangeStore(database)
  return {
    flows: [createChangeFlow({ store, secrets, link: mail.link })],
    askChange: createAskChange({ store, askForMail, mail, outbox }),
    confirmChange: createConfirmChange({ limiter, store, secrets, provePassword, mail, link: mail.link, outbox, ledgerSync, audit }),
    revertChange: createRevertChange({ limiter, store: createRevertStore(database), secrets, mail, prepareReset, outbox, ledgerSync, audit }),
    purge: createHoldPurge(database)
  }
}
