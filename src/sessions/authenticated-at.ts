/**
 * SQL: when a session's owner last authenticated. A session that is older than the column counts from when it was opened.
 *
 * @param session the table's name in the statement
 */
export function authenticatedAtSql (session: string): string {
  return `coalesce(${session}.authenticated_at, ${session}.created_at)`
}
