import type { AuditStore } from '../audit/store.ts'
import type { Database } from '../database/database.ts'
import type { AttemptLimiter } from '../limits/attempt-limiter.ts'
import type { MailedSecretStore } from '../one-time-tokens/mailed-secret-store.ts'
import type { LedgerSync } from '../revocation/ledger-sync.ts'
import type { Sessions } from '../sessions/compose.ts'
import type { Tokens } from '../tokens/compose.ts'
import { createCodeFlow } from './code-flow.ts'
import { createCodeLoginStore } from './code-login-store.ts'
import { createLogInByCode } from './log-in-by-code.ts'

export interface CodeLoginDeps {
  database: Database
  limiter: AttemptLimiter
  secrets: MailedSecretStore
  sessions: Pick<Sessions, 'issuer' | 'notices'>
  mintFor: Tokens['mintFor']
  ledgerSync: Pick<LedgerSync, 'apply'>
  audit: AuditStore
}

/** How people log in by a mailed code. */
export function composeCodeLogin ({ database, limiter, secrets, sessions: { issuer, notices }, mintFor, ledgerSync, audit }: CodeLoginDeps) {
  const store = createCodeLoginStore(database)
  return {
    flows: [createCodeFlow({ store, secrets })],
    logInByCode: createLogInByCode({ limiter, store, secrets, issuer, notices, mintFor, ledgerSync, audit })
  }
}
