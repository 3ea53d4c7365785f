import type { Database } from '../database/database.ts'
import type { PurgeBatch } from '../database/purge-job.ts'
import { createPurgeBatch } from '../database/purge-batch.ts'

const EXPIRED = 'SELECT id FROM audit_events WHERE (SELECT turn FROM mine) AND at < now() - make_interval(secs => :retention::float8) ORDER BY at LIMIT :limit'

/** @param retention seconds that an event is kept; @returns a function that deletes a batch of older events */
export function createAuditPurge (database: Pick<Database, 'query'>, retention: number): PurgeBatch {
  return createPurgeBatch(database, { what: 'audit', table: 'audit_events', key: 'id', expired: EXPIRED, values: { retention } })
}
