import type { Role } from 'countersign-verifier'
import type { Revocation } from 'countersign-verifier/internal'
import { recordAudit, type AuditAction } from '../audit/store.ts'
import type { Database } from '../database/database.ts'
import { Problem } from '../errors.ts'
import type { Actor } from '../http/client-info.ts'
import { clearLoginGuard } from '../limits/login-guard-store.ts'
import { endSessions, raiseVersion } from '../sessions/end-session-store.ts'
import { lockAccount, lockWithAdmins, type LockedAccount } from './lock-account-store.ts'

export type AccountStatusStore = ReturnType<typeof createAccountStatusStore>

/** Another role, or another status, for an account. */
export interface StatusChange {
  role?: Role | undefined
  disabled?: boolean | undefined
}

/** Who vouches for an account; without an actor it is the operator at the command line. */
export type Voucher = Partial<Actor>

/**
 * Changes of an account's role and status. Each writes the audit trail in the same transaction. Those that revoke credentials
 * write the ledger too, and return what to apply to this instance, or `undefined` where there is no such account.
 */
export function createAccountStatusStore ({ prisma }: Pick<Database, 'prisma'>) {
  return {
    /** @throws Problem 409 `last_admin` */
    setRoleAndStatus: (id: string, change: StatusChange, { actorId, ...client }: Partial<Actor>): Promise<Revocation[] | undefined> => prisma.$transaction(async tx => {
      const before = await lockWithAdmins(tx, id)
      if (before === undefined) return undefined
      const { id: userId } = before
      const actions = actionsOf(before, change)
      if (actions.length === 0) return []
      const { role, disabled } = change
      if (before.isLastAdmin && ((role !== undefined && role !== 'admin') || disabled === true)) throw new Problem('last_admin')
      await tx.user.update({
        where: { id: userId },
        data: { ...role !== undefined && { role }, ...disabled !== undefined && { disabledAt: disabled ? before.disabledAt ?? new Date() : null } }
      })
      if (disabled === true) await endSessions(tx, userId, 'disabled')
      for (const action of actions) await recordAudit(tx, { action, outcome: 'success', actorId, subjectId: userId, ...client, ...role !== undefined && { detail: { role } } })
      return await raiseVersion(tx, userId)
    }),

    /** Clears the failures that lock the password of an account. @returns whether there is such an account */
    unlock: (id: string, { actorId, ...client }: Voucher): Promise<boolean> => prisma.$transaction(async tx => {
      const before = await lockAccount(tx, id)
      if (before === undefined) return false
      await clearLoginGuard(tx, before.id)
      await recordAudit(tx, { action: 'unlock', outcome: 'success', actorId, subjectId: before.id, ...client })
      return true
    }),

    /** Counts the address of an account as proved: somebody vouches for it. @returns whether there is such an account */
    verifyEmail: (id: string, { actorId, ...client }: Voucher): Promise<boolean> => prisma.$transaction(async tx => {
      const before = await lockAccount(tx, id)
      if (before === undefined) return false
      if (before.emailVerified) return true
      await tx.user.update({ where: { id: before.id }, data: { emailVerified: true } })
      await recordAudit(tx, { action: 'email_verify', outcome: 'success', actorId, subjectId: before.id, ...client })
      return true
    }),

    /** Ends all sessions of an account, and revokes all its tokens. */
    endAllSessions: (id: string, { actorId, ...client }: Partial<Actor>): Promise<Revocation[] | undefined> => prisma.$transaction(async tx => {
      const before = await lockAccount(tx, id)
      if (before === undefined) return undefined
      const { id: userId } = before
      await endSessions(tx, userId, 'ended')
      await recordAudit(tx, { action: 'session_end', outcome: 'success', actorId, subjectId: userId, ...client })
      return await raiseVersion(tx, userId)
    })
  }
}

function actionsOf (before: LockedAccount, { role, disabled }: StatusChange): AuditAction[] {
  const actions: AuditAction[] = []
  if (role !== undefined && role !== before.role) actions.push('role_change')
  if (disabled !== undefined && disabled !== (before.disabledAt !== null)) actions.push(disabled ? 'disable' : 'enable')
  return actions
}
