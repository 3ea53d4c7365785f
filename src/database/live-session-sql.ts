/** SQL: whether a session is live: not ended, used recently enough, and within its lifetime. */
export function isLiveSql (session = 'sessions'): string {
  return `${session}.ended_at IS NULL AND ${session}.idle_ends_at > now() AND ${session}.ends_at > now()`
}
