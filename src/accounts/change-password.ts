import type { AuditStore } from '../audit/store.ts'
import { Problem } from '../errors.ts'
import type { ClientDetails } from '../http/client-details.ts'
import type { Passwords } from '../passwords/passwords.ts'
import type { Propagation } from '../revocation/propagation.ts'
import type { StandingStore } from '../sessions/standing-store.ts'
import type { AccountStore } from './store.ts'

/** Somebody who is logged in and wants another password. */
export interface PasswordChange {
  userId: string
  sessionId: string
  currentPassword: string
  newPassword: string
  client: ClientDetails
  /** Aborts when the client has gone. */
  signal: AbortSignal
}

export type ChangePassword = (change: PasswordChange) => Promise<void>

/** What changing a password takes. */
export interface ChangePasswordParts {
  accounts: AccountStore
  standing: StandingStore
  passwords: Passwords
  propagation: Pick<Propagation, 'apply'>
  audit: AuditStore
}

export function createChangePassword ({ accounts, standing, passwords, propagation, audit }: ChangePasswordParts): ChangePassword {
  return async function changePassword ({ userId, sessionId, currentPassword, newPassword, client, signal }) {
    const place = { address: client.ip, known: true, signal }
    const account = await accounts.findWithPassword(userId)
    const matches = await passwords.verify(account?.passwordHash, currentPassword, place)
    if (account === null || account.passwordHash === null || !matches) {
      await audit.record({ action: 'password_change', outcome: 'failure', actorId: userId, subjectId: userId, sessionId, ...client })
      throw new Problem('invalid_credentials')
    }
    passwords.assess(newPassword, { email: account.email, ...account.name !== null && { name: account.name } }, 'newPassword')

    const to = await passwords.hash(newPassword, place)
    const change = await standing.replacePassword({ userId, from: account.passwordHash, to, keptSession: sessionId }, { actorId: userId, ...client })
    if (change === undefined) throw new Problem('invalid_credentials')
    propagation.apply(change)
  }
}
