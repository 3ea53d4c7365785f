import type { Database } from '../database/database.ts'
import type { PurgeBatch } from '../database/purge.ts'

const PURGE = {
  name: 'audit.purge',
  text: `
    WITH mine AS MATERIALIZED (SELECT pg_try_advisory_xact_lock(hashtext('countersign purge'), 3) AS turn), old AS (
      SELECT id FROM audit_events WHERE (SELECT turn FROM mine) AND at < now() - make_interval(secs => $2::float8) LIMIT $1
    ), gone AS (DELETE FROM audit_events WHERE id IN (SELECT id FROM old) RETURNING 1)
    SELECT count(*)::int AS count FROM gone`
}

/** @param retention seconds that an event is kept; @returns what deletes a batch of older ones */
export function createAuditPurge ({ query }: Pick<Database, 'query'>, retention: number): PurgeBatch {
  return async limit => {
    const [row] = await query<{ count: number }>(PURGE, [limit, retention])
    return row?.count ?? 0
  }
}
