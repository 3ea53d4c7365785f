import type { AuditStore } from '../audit/store.ts'
import type { Database } from '../database/database.ts'
import type { Passwords } from '../passwords/passwords.ts'
import type { Propagation } from '../revocation/propagation.ts'
import type { Sessions } from '../sessions/sessions.ts'
import type { Tokens } from '../tokens/tokens.ts'
import { createChangePassword } from './change-password.ts'
import { createRegister } from './register.ts'
import { createAccountStore } from './store.ts'

/** What accounts take. */
export interface AccountsParts {
  database: Database
  sessions: Pick<Sessions, 'opening' | 'standing'>
  passwords: Passwords
  propagation: Pick<Propagation, 'apply'>
  audit: AuditStore
  mintFor: Tokens['mintFor']
}

/** Everything the service does with accounts. */
export function createAccounts ({ database, sessions, passwords, propagation, audit, mintFor }: AccountsParts) {
  const accounts = createAccountStore(database)
  return {
    accounts,
    register: createRegister({ accounts, passwords, opening: sessions.opening, mintFor }),
    changePassword: createChangePassword({ accounts, standing: sessions.standing, passwords, propagation, audit })
  }
}
