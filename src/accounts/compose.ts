import type { AuditStore } from '../audit/store.ts'
import type { Database } from '../database/database.ts'
import type { Passwords } from '../passwords/compose.ts'
import type { LedgerSync } from '../revocation/ledger-sync.ts'
import type { Sessions } from '../sessions/compose.ts'
import type { Tokens } from '../tokens/compose.ts'
import { createAccountStatusStore } from './account-status-store.ts'
import { createChangePassword } from './change-password.ts'
import { createPasswordStore } from './password-store.ts'
import { createRegister } from './register.ts'
import { createAccountStore } from './store.ts'

export interface AccountsDeps {
  database: Database
  sessions: Pick<Sessions, 'issuer' | 'renewal'>
  passwords: Passwords
  ledgerSync: Pick<LedgerSync, 'apply'>
  audit: AuditStore
  mintFor: Tokens['mintFor']
}

/** Everything the service does with accounts. */
export type Accounts = ReturnType<typeof composeAccounts>

export function composeAccounts ({ database, sessions: { issuer, renewal }, passwords, ledgerSync, audit, mintFor }: AccountsDeps) {
  const store = createAccountStore(database)
  return {
    store,
    accountStatus: createAccountStatusStore(database),
    register: createRegister({ accounts: store, passwords, issuer, mintFor }),
    changePassword: createChangePassword({ accounts: store, passwordStore: createPasswordStore(database), renewal, passwords, ledgerSync, audit })
  }
}
