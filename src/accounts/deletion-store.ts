import type { Revocation } from 'countersign-verifier/internal'
import { recordAudit } from '../audit/store.ts'
import type { Database, DbTransaction } from '../database/database.ts'
import { bindValues, statement } from '../database/statement.ts'
import { Problem } from '../errors.ts'
import type { Actor, ClientInfo } from '../http/client-info.ts'
import { enqueue, type OutboxRow } from '../outbox/enqueue.ts'
import { NO_VERSION, recordRevocation } from '../revocation/ledger-writer.ts'
import { endSessions, raiseVersion } from '../sessions/end-session-store.ts'
import { lockAccount, lockDueAccount, lockWithAdmins, type LockedAccount } from './lock-account-store.ts'
import { assertRestoreToken, dropRestoreTokens, findRestoreToken, issueRestoreToken, redeemRestoreToken } from './restore-token-store.ts'

/** Makes the message about a change, once the account is locked. */
export type Announce = (account: LockedAccount) => OutboxRow

/** A deletion that is to come. */
export interface Schedule {
  /** Seconds. */
  grace: number
  /** By which the owner can take it back; absent where no mail brings it. */
  restoreToken: string | undefined
  /** @param to an address of before, where it is not the present one that is told */
  announce (account: LockedAccount, dueAt: Date, to?: string): OutboxRow
}

export type DeletionStore = ReturnType<typeof createDeletionStore>

const SCHEDULE = statement('accounts.schedule-deletion', `
  UPDATE users SET deletion_due_at = now() + make_interval(secs => :grace::float8), updated_at = now() WHERE id = :userId::uuid
  RETURNING deletion_due_at AS "dueAt"`)

// Whoever took an account could change its address, and have it deleted.
const FIND_HELD = statement('accounts.find-held-addresses', `
  SELECT hold.email FROM email_holds AS hold JOIN users ON users.id = hold.user_id
  WHERE hold.user_id = :userId::uuid AND hold.until > now() AND hold.email <> users.email ORDER BY hold.email`)

const FIND_DUE = statement('accounts.find-due', 'SELECT id::text AS id FROM users WHERE deletion_due_at <= now() ORDER BY deletion_due_at LIMIT :limit')

/**
 * The end of accounts. Each change writes the ledger, the audit trail and the message to the owner in one transaction. Those
 * that revoke credentials return what to apply to this instance, or `undefined` where there is no such account.
 */
export function createDeletionStore ({ prisma, query }: Pick<Database, 'prisma' | 'query'>) {
  return {
    /** Deletes an account. @throws Problem 409 `last_admin` */
    remove: (id: string, { actorId, ...client }: Actor, announce: Announce): Promise<Revocation[] | undefined> => prisma.$transaction(async tx => {
      const account = await lockWithAdmins(tx, id)
      if (account === undefined) return undefined
      if (account.isLastAdmin) throw new Problem('last_admin')
      await recordAudit(tx, { action: 'delete', outcome: 'success', actorId, subjectId: account.id, ...client })
      return await remove(tx, account, announce)
    }),

    /**
     * Has an account deleted later. Until then nobody can use it; once it is asked for, asking again changes nothing. Former
     * addresses to which it may come back are told as well.
     *
     * @throws Problem 409 `last_admin`
     */
    schedule: (id: string, { grace, restoreToken, announce }: Schedule, { actorId, ...client }: Actor): Promise<Revocation[] | undefined> => prisma.$transaction(async tx => {
      const account = await lockWithAdmins(tx, id)
      if (account === undefined) return undefined
      const { id: userId } = account
      if (account.deletionDueAt !== null) return []
      if (account.isLastAdmin) throw new Problem('last_admin')
      const [scheduled] = await tx.$queryRawUnsafe<Array<{ dueAt: Date }>>(SCHEDULE.text, ...bindValues(SCHEDULE, { userId, grace }))
      if (scheduled === undefined) throw new Error('A locked account is missing')
      await endSessions(tx, userId, 'deletion')
      if (restoreToken !== undefined) await issueRestoreToken(tx, { userId, token: restoreToken, expiresAt: scheduled.dueAt })
      await enqueue(tx, announce(account, scheduled.dueAt))
      const held = await tx.$queryRawUnsafe<Array<{ email: string }>>(FIND_HELD.text, ...bindValues(FIND_HELD, { userId }))
      for (const { email } of held) await enqueue(tx, announce(account, scheduled.dueAt, email))
      await recordAudit(tx, { action: 'deletion_schedule', outcome: 'success', actorId, subjectId: userId, ...client, detail: { dueAt: scheduled.dueAt.toISOString() } })
      return await raiseVersion(tx, userId)
    }),

    /** Takes a deletion back, by the token that its owner was mailed. @throws Problem `link_invalid`, `link_used`, `link_expired` */
    restoreByToken: (token: string, client: ClientInfo, announce: Announce): Promise<void> => prisma.$transaction(async tx => {
      // The account is locked before the token, as by its deletion.
      const found = await findRestoreToken(tx, token)
      const account = found && await lockAccount(tx, found.userId)
      if (account === undefined) throw new Problem('link_invalid')
      await redeemRestoreToken(tx, token)
      await restore(tx, account, { actorId: account.id, ...client }, announce)
    }),

    /** Looks at the token of a link, and uses up nothing. @throws Problem `link_invalid`, `link_used`, `link_expired` */
    lookAtToken: (token: string): Promise<void> => prisma.$transaction(tx => assertRestoreToken(tx, token)),

    /** Takes a deletion back. @returns whether there is such an account */
    restore: (id: string, actor: Actor, announce: Announce): Promise<boolean> => prisma.$transaction(async tx => {
      const account = await lockAccount(tx, id)
      if (account === undefined) return false
      await dropRestoreTokens(tx, account.id)
      await restore(tx, account, actor, announce)
      return true
    }),

    /** Lists accounts whose time has come, the longest overdue first. */
    async findDue (limit: number): Promise<string[]> {
      return (await query<{ id: string }>(FIND_DUE, { limit })).map(({ id }) => id)
    },

    /** Deletes an account whose time has come. Of several instances one does, and if the owner takes it back meanwhile, none. */
    removeDue: (id: string, announce: Announce): Promise<Revocation[]> => prisma.$transaction(async tx => {
      const account = await lockDueAccount(tx, id)
      if (account === undefined) return []
      await recordAudit(tx, { action: 'delete', outcome: 'success', actorId: account.id, subjectId: account.id, detail: { scheduled: true } })
      return await remove(tx, account, announce)
    })
  }
}

async function remove (tx: DbTransaction, account: LockedAccount, announce: Announce): Promise<Revocation[]> {
  await enqueue(tx, announce(account))
  await tx.user.delete({ where: { id: account.id } })
  return await recordRevocation(tx, { kind: 'user', subject: account.id, minVersion: NO_VERSION })
}

async function restore (tx: DbTransaction, account: LockedAccount, { actorId, ...client }: Actor, announce: Announce): Promise<void> {
  if (account.deletionDueAt === null) return
  await tx.user.update({ where: { id: account.id }, data: { deletionDueAt: null } })
  await enqueue(tx, announce(account))
  await recordAudit(tx, { action: 'account_restore', outcome: 'success', actorId, subjectId: account.id, ...client })
}
