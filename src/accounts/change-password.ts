import type { AuditStore } from '../audit/store.ts'
import { Problem } from '../errors.ts'
import type { ClientInfo } from '../http/client-info.ts'
import type { Passwords } from '../passwords/compose.ts'
import type { LedgerSync } from '../revocation/ledger-sync.ts'
import type { AccountStatusStore } from '../sessions/standing-store.ts'
import type { AccountStore } from './store.ts'

/** Somebody who is logged in and wants another password. */
export interface PasswordChange {
  userId: string
  sessionId: string
  /** May be missing where there is none yet. */
  currentPassword: string | undefined
  newPassword: string
  client: ClientInfo
  /** Aborts when the client has gone. */
  signal: AbortSignal
}

export type ChangePassword = (change: PasswordChange) => Promise<void>

export interface ChangePasswordDeps {
  accounts: AccountStore
  standing: AccountStatusStore
  passwords: Passwords
  propagation: Pick<LedgerSync, 'apply'>
  audit: AuditStore
}

// Seconds within which a login is proof enough where there is no password to ask for.
const RECENT = 300

export function createChangePassword ({ accounts, standing, passwords, propagation, audit }: ChangePasswordDeps): ChangePassword {
  return async function changePassword (change) {
    const { userId, sessionId, newPassword, client, signal } = change
    const place = { address: client.ip, known: true, signal }
    const account = await accounts.findWithPassword(userId)
    if (account === null || !await isPermitted(account.passwordHash, change)) {
      await audit.record({ action: 'password_change', outcome: 'failure', actorId: userId, subjectId: userId, sessionId, ...client })
      throw new Problem('invalid_credentials')
    }
    passwords.assess(newPassword, { email: account.email, ...account.name !== null && { name: account.name } }, 'newPassword')

    const to = await passwords.hash(newPassword, place)
    const replaced = await standing.replacePassword({ userId, from: account.passwordHash, to, keptSession: sessionId }, { actorId: userId, ...client })
    if (replaced === undefined) throw new Problem('invalid_credentials')
    propagation.apply(replaced)
  }

  async function isPermitted (passwordHash: string | null, { userId, sessionId, currentPassword, client, signal }: PasswordChange): Promise<boolean> {
    if (currentPassword !== undefined) return await passwords.verify(passwordHash, currentPassword, { address: client.ip, known: true, signal }) && passwordHash !== null
    if (passwordHash !== null) throw new Problem('validation_failed', { errors: [{ field: 'currentPassword', pointer: '#/currentPassword', detail: 'is required' }] })
    if (!await accounts.loggedInWithin({ id: sessionId, userId }, RECENT)) throw new Problem('recent_login_required')
    return true
  }
}
