import type { Role } from 'countersign-verifier'
import { isLiveSql } from '../database/live-session-sql.ts'
import type { TokenSubject } from '../tokens/mint-access-token.ts'

export { isLiveSql }

/** The account of a session, and the session's end. Times are Unix seconds by the database's clock. */
export interface SessionAccount {
  userId: string
  email: string
  emailVerified: boolean
  name: string | null
  role: Role
  version: number
  userCreatedAt: Date
  now: number
  endsAt: number
}

/** The account as a token names it. */
export function tokenSubject ({ userId, email, emailVerified, role, version }: SessionAccount): TokenSubject {
  return { id: userId, email, emailVerified, role, version }
}

/** SQL: a time or an interval in seconds. */
export function secondsSql (time: string): string {
  return `extract(epoch FROM ${time})::float8`
}

/**
 * SQL: the columns of `SessionAccount`.
 *
 * @param user the account's table in the statement
 * @param session the session's table in the statement
 */
export function sessionAccountSql (user: string, session: string): string {
  return Object.entries(accountColumns(user, session)).map(([name, sql]) => `${sql} AS "${name}"`).join(', ')
}

/**
 * SQL: the same as one column of JSON, for `readSessionAccount`. To read ten columns takes the driver as long as all else that it
 * does for a statement.
 *
 * @param others more of them, by their names
 */
export function sessionAccountJsonSql (user: string, session: string, others: Readonly<Record<string, string>> = {}): string {
  const columns = Object.entries({ ...accountColumns(user, session), ...others })
  return `json_build_object(${columns.map(([name, sql]) => `'${name}', ${sql}`).join(', ')})`
}

/** A `SessionAccount` as JSON holds it. */
export type SessionAccountJson = Omit<SessionAccount, 'userCreatedAt'> & { userCreatedAt: string }

export function readSessionAccount<Account extends SessionAccountJson> (account: Account) {
  return { ...account, userCreatedAt: new Date(account.userCreatedAt) }
}

function accountColumns (user: string, session: string): Record<keyof SessionAccount, string> {
  return {
    userId: `${user}.id`,
    email: `${user}.email`,
    emailVerified: `${user}.email_verified`,
    name: `${user}.name`,
    role: `${user}.role::text`,
    version: `${user}.version`,
    userCreatedAt: `${user}.created_at`,
    now: secondsSql('statement_timestamp()'),
    endsAt: secondsSql(`${session}.ends_at`)
  }
}

/** SQL: whether an account can be used: it is enabled, and not to be deleted. */
export function isActiveSql (user = 'users'): string {
  return `${user}.disabled_at IS NULL AND ${user}.deletion_due_at IS NULL`
}

/** SQL: whether a session's credentials are accepted: it is live, and its account is active. */
export function isGoodSql (session: string, user: string): string {
  return `${isLiveSql(session)} AND ${isActiveSql(user)}`
}

/** SQL: when the owner of a session last authenticated. Without a time of its own, that is when the session was opened. */
export function authenticatedAtSql (session: string): string {
  return `coalesce(${session}.authenticated_at, ${session}.created_at)`
}

/** The part of the idle lifetime after which it is stored again that a session is in use. */
export const TOUCH_AFTER = 0.1

/**
 * SQL: the idle end of a session that is used now. What may pass before it is stored that the session was used again is added:
 * nobody's session ends before the idle lifetime has passed since it was used.
 *
 * @param idleTtl SQL, seconds
 * @param endsAt SQL, the absolute end
 */
export function idleEndSql (endsAt: string, idleTtl = ':idleTtl::float8'): string {
  return `least(now() + make_interval(secs => ${1 + TOUCH_AFTER} * ${idleTtl}), ${endsAt})`
}
