import type { Role } from 'countersign-verifier'
import type { DbTransaction } from '../database/database.ts'
import { bindValues, statement } from '../database/statement.ts'

/** An account whose row is locked until the transaction ends. */
export interface LockedAccount {
  /** In the database's spelling, whatever that of the request. */
  id: string
  email: string
  emailVerified: boolean
  locale: string | null
  role: Role
  disabledAt: Date | null
  deletionDueAt: Date | null
}

const COLUMNS = 'id::text AS id, email, email_verified AS "emailVerified", locale, role::text AS role, disabled_at AS "disabledAt", deletion_due_at AS "deletionDueAt"'

// Only the index of those with a role has this order: the planner cannot take another, however many admins it expects. As a
// plain `role = 'admin'` it would be no part of the order.
const activeAdminsSql = (most: number, condition = '') => `
  SELECT id FROM users WHERE role <> 'user' AND role BETWEEN 'admin' AND 'admin' AND disabled_at IS NULL AND deletion_due_at IS NULL${condition}
  ORDER BY role, id LIMIT ${most}`

// Where there are more, none is the last one.
const MOST_ADMINS = 1_000

const LOCK = statement('accounts.lock', `SELECT ${COLUMNS} FROM users WHERE id = :userId::uuid FOR NO KEY UPDATE`)
const LOCK_DUE = statement('accounts.lock-due', `SELECT ${COLUMNS} FROM users WHERE id = :userId::uuid AND deletion_due_at <= now() FOR UPDATE`)

// Row by row, and so in the order of the ids, each as it is once it is locked.
const LOCK_WITH_ADMINS = statement('accounts.lock-with-admins', `
  WITH wanted AS MATERIALIZED (SELECT id FROM ((${activeAdminsSql(MOST_ADMINS)}) UNION SELECT :userId::uuid) AS any_order ORDER BY id)
  SELECT locked.* FROM wanted, LATERAL (SELECT ${COLUMNS} FROM users WHERE users.id = wanted.id FOR UPDATE) AS locked`)

const FIND_OTHER_ADMIN = statement('accounts.find-other-admin', activeAdminsSql(1, ' AND id <> :userId::uuid'))

/** Locks an account, for a change that leaves it an admin if it is one. @returns `undefined` where there is none */
export async function lockAccount (tx: DbTransaction, userId: string): Promise<LockedAccount | undefined> {
  const [account] = await tx.$queryRawUnsafe<LockedAccount[]>(LOCK.text, ...bindValues(LOCK, { userId }))
  return account
}

/** Locks an account that is to be deleted by now. @returns `undefined` where it is not, or is gone */
export async function lockDueAccount (tx: DbTransaction, userId: string): Promise<LockedAccount | undefined> {
  const [account] = await tx.$queryRawUnsafe<LockedAccount[]>(LOCK_DUE.text, ...bindValues(LOCK_DUE, { userId }))
  return account
}

/**
 * Locks an account, for a change that may take an admin away. That locks all admins, in one order: of two who demote each
 * other, the second waits, and then is the last.
 */
export async function lockWithAdmins (tx: DbTransaction, userId: string): Promise<LockedAccount & { isLastAdmin: boolean } | undefined> {
  const rows = await tx.$queryRawUnsafe<LockedAccount[]>(LOCK_WITH_ADMINS.text, ...bindValues(LOCK_WITH_ADMINS, { userId }))
  const admins = rows.filter(isActiveAdmin)
  const target = rows.find(({ id }) => id === userId.toLowerCase())
  if (target === undefined) return undefined
  const isOnlyOne = admins.length === 1 && admins[0]?.id === target.id
  return { ...target, isLastAdmin: isOnlyOne && !await hasOtherAdmin(tx, target.id) }
}

// Whoever is to be deleted can do nothing for the others.
function isActiveAdmin ({ role, disabledAt, deletionDueAt }: LockedAccount): boolean {
  return role === 'admin' && disabledAt === null && deletionDueAt === null
}

// While the locks were waited for, another account may have become an admin. It stays one for as long as they are held:
// to demote it takes the lock of this one too.
async function hasOtherAdmin (tx: DbTransaction, userId: string): Promise<boolean> {
  const found = await tx.$queryRawUnsafe<unknown[]>(FIND_OTHER_ADMIN.text, ...bindValues(FIND_OTHER_ADMIN, { userId }))
  return found.length > 0
}
