import type { Role } from 'countersign-verifier'

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
  return `
    ${user}.id AS "userId", ${user}.email, ${user}.email_verified AS "emailVerified", ${user}.name, ${user}.role::text AS role,
    ${user}.version, ${user}.created_at AS "userCreatedAt", ${secondsSql('statement_timestamp()')} AS now, ${secondsSql(`${session}.ends_at`)} AS "endsAt"`
}

/** SQL: whether a session is live: not ended, used recently enough, and within its lifetime. */
export function isLiveSql (session = 'sessions'): string {
  return `${session}.ended_at IS NULL AND ${session}.idle_ends_at > now() AND ${session}.ends_at > now()`
}

/** SQL: whether a session's credentials are accepted: it is live, and its account is enabled. */
export function isGoodSql (session: string, user: string): string {
  return `${isLiveSql(session)} AND ${user}.disabled_at IS NULL`
}

/** SQL: when the owner of a session last authenticated. Without a time of its own, that is when the session was opened. */
export function authenticatedAtSql (session: string): string {
  return `coalesce(${session}.authenticated_at, ${session}.created_at)`
}
