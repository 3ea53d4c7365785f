/**
 * SQL: whether a session is live: it has not ended, was used lately, and its time is not over.
 *
 * @param session the table's name in the statement
 */
export function isLiveSql (session = 'sessions'): string {
  return `${session}.ended_at IS NULL AND ${session}.idle_ends_at > now() AND ${session}.ends_at > now()`
}

/** SQL: the same, and the account it is of is enabled: whether the session's credentials still open anything. */
export function isGoodSql (session: string, user: string): string {
  return `${isLiveSql(session)} AND ${user}.disabled_at IS NULL`
}
