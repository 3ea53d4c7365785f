import type { Database } from '../database/database.ts'
import type { PurgeBatch } from '../database/purge-job.ts'
import { createPurgeBatch } from '../database/purge-batch.ts'

const OVER = 'SELECT id FROM audit_events WHERE (SELECT turn FROM mine) AND at < now() - make_interval(secs => $2::float8) LIMIT $1'

/** @param retention seconds that an event is kept; @returns what deletes a batch of older ones */
export function createAuditPurge (database: Pick<Database, 'query'>, retention: number): PurgeBatch {
  return createPurgeBatch(database, { what: 'audit', table: 'audit_events', key: 'id', over: OVER, values: [retention] })
}
