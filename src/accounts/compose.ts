import type { AuditStore } from '../audit/store.ts'
import type { Database } from '../database/database.ts'
import type { Passwords } from '../passwords/compose.ts'
import type { LedgerSync } from '../revocation/ledger-sync.ts'
import type { Sessions } from '../sessions/compose.ts'
import type { Tokens } from '../tokens/compose.ts'
import { createChangePassword } from './change-password.ts'
import { createRegister } from './register.ts'
import { createAccountStore } from './store.ts'

export interface AccountsDeps {
  database: Database
  sessions: Pick<Sessions, 'opening' | 'passwordStore' | 'renewal'>
  passwords: Passwords
  propagation: Pick<LedgerSync, 'apply'>
  audit: AuditStore
  mintFor: Tokens['mintFor']
}

/** Everything the service does with accounts. */
export function composeAccounts ({ database, sessions, passwords, propagation, audit, mintFor }: AccountsDeps) {
  const accounts = createAccountStore(database)
  return {
    accounts,
    register: createRegister({ accounts, passwords, opening: sessions.opening, mintFor }),
    changePassword: createChangePassword({ accounts, passwordStore: sessions.passwordStore, renewal: sessions.renewal, passwords, propagation, audit })
  }
}
