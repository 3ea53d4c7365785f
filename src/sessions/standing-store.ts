import type { Role } from 'countersign-verifier'
import type { Revocation } from 'countersign-verifier/internal'
import { recordAudit, type AuditAction } from '../audit/store.ts'
import type { Database, DbTransaction } from '../database/database.ts'
import { Problem } from '../errors.ts'
import type { ClientInfo } from '../http/client-info.ts'
import { NO_VERSION, recordRevocation } from '../revocation/ledger-writer.ts'

/** Who changes an account's standing, and from where. */
export interface Actor extends ClientInfo {
  actorId: string
}

/** What has to be put into force here now that a change is stored. */
export type Change = Revocation[]

/**
 * The changes by which credentials lose their worth: each raises the account's version, writes the ledger and the audit
 * trail, all in one transaction.
 */
export interface AccountStatusStore {
  /** @returns `undefined` when there is no such account. @throws Problem 409 `last_admin` */
  setRoleAndStatus (userId: string, change: { role?: Role | undefined, disabled?: boolean | undefined }, by: Actor): Promise<Change | undefined>
  /** @returns `undefined` when there is no such account. @throws Problem 409 `last_admin` */
  remove (userId: string, by: Actor): Promise<Change | undefined>
  /** Ends every session of an account. @returns `undefined` when there is no such account */
  endAllSessions (userId: string, by: Actor): Promise<Change | undefined>
}

export function createAccountStatusStore ({ prisma }: Pick<Database, 'prisma'>): AccountStatusStore {
  return {
    setRoleAndStatus: (id, { role, disabled }, { actorId, ...client }) => prisma.$transaction(async tx => {
      const before = await lockWithAdmins(tx, id)
      if (before === undefined) return undefined
      const { id: userId } = before
      const actions = actionsOf(before, { role, disabled })
      if (actions.length === 0) return []
      if (before.isLastAdmin && ((role !== undefined && role !== 'admin') || disabled === true)) throw new Problem('last_admin')
      await tx.user.update({
        where: { id: userId },
        data: { ...role !== undefined && { role }, ...disabled !== undefined && { disabledAt: disabled ? before.disabledAt ?? new Date() : null } }
      })
      if (disabled === true) await endSessions(tx, userId, 'disabled')
      for (const action of actions) await recordAudit(tx, { action, outcome: 'success', actorId, subjectId: userId, ...client, ...role !== undefined && { detail: { role } } })
      return await raiseVersion(tx, userId)
    }),

    remove: (id, { actorId, ...client }) => prisma.$transaction(async tx => {
      const before = await lockWithAdmins(tx, id)
      if (before === undefined) return undefined
      const { id: userId } = before
      if (before.isLastAdmin) throw new Problem('last_admin')
      await tx.user.delete({ where: { id: userId } })
      await recordAudit(tx, { action: 'delete', outcome: 'success', actorId, subjectId: userId, ...client })
      return await recordRevocation(tx, { kind: 'user', subject: userId, minVersion: NO_VERSION })
    }),

    endAllSessions: (id, { actorId, ...client }) => prisma.$transaction(async tx => {
      const before = await lock(tx, id)
      if (before === undefined) return undefined
      const { id: userId } = before
      await endSessions(tx, userId, 'ended')
      await recordAudit(tx, { action: 'session_end', outcome: 'success', actorId, subjectId: userId, ...client })
      return await raiseVersion(tx, userId)
    })
  }
}

/** Raises the version within a transaction and tells the ledger: nothing that was issued before is good any longer. */
export async function raiseVersion (tx: DbTransaction, userId: string): Promise<Revocation[]> {
  const { version } = await tx.user.update({ where: { id: userId }, data: { version: { increment: 1 } }, select: { version: true } })
  return recordRevocation(tx, { kind: 'user', subject: userId, minVersion: version })
}

interface Standing {
  /** As the database writes it, whatever the spelling that was asked by. */
  id: string
  role: Role
  disabledAt: Date | null
}

async function lock (tx: DbTransaction, userId: string): Promise<Standing | undefined> {
  const [row] = await tx.$queryRaw<Standing[]>`SELECT id::text AS id, role::text AS role, disabled_at AS "disabledAt" FROM users WHERE id = ${userId}::uuid FOR NO KEY UPDATE`
  return row
}

// All admins are locked, in one order, by whoever is about to change one: so two who demote each other take turns, and
// the second finds itself the last.
async function lockWithAdmins (tx: DbTransaction, userId: string): Promise<Standing & { isLastAdmin: boolean } | undefined> {
  const rows = await tx.$queryRaw<Standing[]>`
    SELECT id::text AS id, role::text AS role, disabled_at AS "disabledAt" FROM users
    WHERE id = ${userId}::uuid OR (role = 'admin' AND disabled_at IS NULL) ORDER BY id FOR UPDATE`
  const admins = rows.filter(({ role, disabledAt }) => role === 'admin' && disabledAt === null)
  const target = rows.find(({ id }) => id === userId.toLowerCase())
  return target && { ...target, isLastAdmin: admins.length === 1 && admins[0]?.id === target.id }
}

/** Ends an account's sessions within a transaction, all or all but one. @returns their ids */
export async function endSessions (tx: DbTransaction, userId: string, reason: string, kept?: string): Promise<string[]> {
  const ended = await tx.$queryRaw<Array<{ id: string }>>`
    UPDATE sessions SET ended_at = now(), ended_reason = ${reason}
    WHERE user_id = ${userId}::uuid AND ended_at IS NULL AND (${kept ?? null}::uuid IS NULL OR id <> ${kept ?? null}::uuid) RETURNING id::text AS id`
  return ended.map(({ id }) => id)
}

function actionsOf (before: Standing, { role, disabled }: { role?: Role | undefined, disabled?: boolean | undefined }): AuditAction[] {
  const actions: AuditAction[] = []
  if (role !== undefined && role !== before.role) actions.push('role_change')
  if (disabled !== undefined && disabled !== (before.disabledAt !== null)) actions.push(disabled ? 'disable' : 'enable')
  return actions
}
