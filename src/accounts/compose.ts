import type { AuditStore } from '../audit/store.ts'
import type { Config } from '../config.ts'
import type { Database } from '../database/database.ts'
import type { Limits } from '../limits/compose.ts'
import type { Mail } from '../mail/compose.ts'
import type { Outbox } from '../outbox/compose.ts'
import type { Passwords } from '../passwords/compose.ts'
import type { LedgerSync } from '../revocation/ledger-sync.ts'
import type { Sessions } from '../sessions/compose.ts'
import type { Tokens } from '../tokens/compose.ts'
import { createAccountDeletion } from './account-deletion.ts'
import { createAccountStatusStore } from './account-status-store.ts'
import { createChangePassword } from './change-password.ts'
import { createDeletionStore } from './deletion-store.ts'
import { createExportStore } from './export-store.ts'
import { createPasswordGuesses } from './password-guesses.ts'
import { createPasswordStore } from './password-store.ts'
import { createRegister, type RegisterDeps } from './register.ts'
import { createAccountStore } from './store.ts'

export interface AccountsDeps {
  config: Pick<Config, 'accountDeletionGrace'>
  database: Database
  limits: Limits
  sessions: Pick<Sessions, 'issuer' | 'renewal'>
  passwords: Passwords
  mail: Mail
  outbox: Outbox
  ledgerSync: Pick<LedgerSync, 'apply'>
  audit: AuditStore
  mintFor: Tokens['mintFor']
  prepareMail: RegisterDeps['prepareMail']
}

/** Everything the service does with accounts. */
export type Accounts = ReturnType<typeof composeAccounts>

export function composeAccounts ({ config, database, limits: { limiter, loginGuard }, sessions: { issuer, renewal }, passwords, mail, outbox, ledgerSync, audit, mintFor, prepareMail }: AccountsDeps) {
  const store = createAccountStore(database)
  return {
    store,
    accountStatus: createAccountStatusStore(database),
    deletion: createAccountDeletion({ store: createDeletionStore(database), grace: config.accountDeletionGrace, mail, outbox, ledgerSync }),
    exports: createExportStore(database),
    register: createRegister({ limiter, accounts: store, passwords, issuer, mintFor, prepareMail, outbox, audit }),
    changePassword: createChangePassword({ guesses: createPasswordGuesses({ limiter, loginGuard, audit }), accounts: store, passwordStore: createPasswordStore(database), renewal, passwords, mail, outbox, ledgerSync, audit })
  }
}
