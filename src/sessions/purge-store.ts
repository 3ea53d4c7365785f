import type { Database } from '../database/database.ts'
import type { PurgeBatch } from '../database/purge.ts'

// Ended sessions are kept an hour, so that a late repeat is told from nonsense.
const PURGE = {
  name: 'sessions.purge',
  text: `
    WITH mine AS MATERIALIZED (SELECT pg_try_advisory_xact_lock(hashtext('countersign purge'), 2) AS turn), expired AS (
      (SELECT id FROM sessions WHERE (SELECT turn FROM mine) AND idle_ends_at < now() LIMIT $1)
      UNION
      (SELECT id FROM sessions WHERE (SELECT turn FROM mine) AND ended_at < now() - interval '1 hour' LIMIT $1)
    ), gone AS (
      DELETE FROM sessions WHERE id IN (SELECT id FROM expired LIMIT $1) RETURNING 1
    )
    SELECT count(*)::int AS count FROM gone`
}

/** @returns what deletes a batch of sessions that have ended or expired */
export function createSessionPurge ({ query }: Pick<Database, 'query'>): PurgeBatch {
  return async limit => {
    const [row] = await query<{ count: number }>(PURGE, [limit])
    return row?.count ?? 0
  }
}
