import type { Role } from 'countersign-verifier'
import type { Revocation } from 'countersign-verifier/internal'
import { recordAudit, type AuditAction } from '../audit/store.ts'
import type { Database, DbTransaction } from '../database/database.ts'
import { Problem } from '../errors.ts'
import type { Actor } from '../http/client-info.ts'
import { NO_VERSION, recordRevocation } from '../revocation/ledger-writer.ts'
import { endSessions, raiseVersion } from '../sessions/end-session-store.ts'

export type AccountStatusStore = ReturnType<typeof createAccountStatusStore>

/** Another role, or another status, for an account. */
export interface StatusChange {
  role?: Role | undefined
  disabled?: boolean | undefined
}

interface AccountStatus {
  /** In the database's spelling, whatever that of the request. */
  id: string
  role: Role
  disabledAt: Date | null
}

/**
 * Changes of an account that revoke its credentials. Each writes the ledger and the audit trail in the same transaction.
 * They return what to apply to this instance, or `undefined` where there is no such account.
 */
export function createAccountStatusStore ({ prisma }: Pick<Database, 'prisma'>) {
  return {
    /** @throws Problem 409 `last_admin` */
    setRoleAndStatus: (id: string, change: StatusChange, { actorId, ...client }: Actor): Promise<Revocation[] | undefined> => prisma.$transaction(async tx => {
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

    /** Deletes an account. @throws Problem 409 `last_admin` */
    remove: (id: string, { actorId, ...client }: Actor): Promise<Revocation[] | undefined> => prisma.$transaction(async tx => {
      const before = await lockWithAdmins(tx, id)
      if (before === undefined) return undefined
      const { id: userId } = before
      if (before.isLastAdmin) throw new Problem('last_admin')
      await tx.user.delete({ where: { id: userId } })
      await recordAudit(tx, { action: 'delete', outcome: 'success', actorId, subjectId: userId, ...client })
      return await recordRevocation(tx, { kind: 'user', subject: userId, minVersion: NO_VERSION })
    }),

    endAllSessions: (id: string, { actorId, ...client }: Actor): Promise<Revocation[] | undefined> => prisma.$transaction(async tx => {
      const before = await lock(tx, id)
      if (before === undefined) return undefined
      const { id: userId } = before
      await endSessions(tx, userId, 'ended')
      await recordAudit(tx, { action: 'session_end', outcome: 'success', actorId, subjectId: userId, ...client })
      return await raiseVersion(tx, userId)
    })
  }
}

async function lock (tx: DbTransaction, userId: string): Promise<AccountStatus | undefined> {
  const [row] = await tx.$queryRaw<AccountStatus[]>`SELECT id::text AS id, role::text AS role, disabled_at AS "disabledAt" FROM users WHERE id = ${userId}::uuid FOR NO KEY UPDATE`
  return row
}

// A change of any admin locks all of them, in one order: of two who demote each other, the second waits, and then is the last.
async function lockWithAdmins (tx: DbTransaction, userId: string): Promise<AccountStatus & { isLastAdmin: boolean } | undefined> {
  const rows = await tx.$queryRaw<AccountStatus[]>`
    SELECT id::text AS id, role::text AS role, disabled_at AS "disabledAt" FROM users
    WHERE id = ${userId}::uuid OR (role = 'admin' AND disabled_at IS NULL) ORDER BY id FOR UPDATE`
  const admins = rows.filter(({ role, disabledAt }) => role === 'admin' && disabledAt === null)
  const target = rows.find(({ id }) => id === userId.toLowerCase())
  return target && { ...target, isLastAdmin: admins.length === 1 && admins[0]?.id === target.id }
}

function actionsOf (before: AccountStatus, { role, disabled }: StatusChange): AuditAction[] {
  const actions: AuditAction[] = []
  if (role !== undefined && role !== before.role) actions.push('role_change')
  if (disabled !== undefined && disabled !== (before.disabledAt !== null)) actions.push(disabled ? 'disable' : 'enable')
  return actions
}
