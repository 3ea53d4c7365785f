import type { Database } from '../database/database.ts'
import type { PurgeBatch } from '../database/purge-job.ts'
import { createPurgeBatch, purgeTimeSql } from '../database/purge-batch.ts'

const [IDLE_END, END] = [purgeTimeSql('idle_ends_at'), purgeTimeSql('ended_at')]

// Ended sessions are kept for an hour, so that a late repeat is not taken for an invalid token.
const EXPIRED = `
  (SELECT id FROM sessions WHERE (SELECT turn FROM mine) AND ${IDLE_END} < ${purgeTimeSql('now()')} ORDER BY ${IDLE_END} LIMIT :limit)
  UNION
  (SELECT id FROM sessions WHERE (SELECT turn FROM mine) AND ended_at IS NOT NULL AND ${END} < ${purgeTimeSql("(now() - interval '1 hour')")} ORDER BY ${END} LIMIT :limit)
  LIMIT :limit`

/** @returns a function that deletes a batch of ended or expired sessions */
export function createSessionPurge (database: Pick<Database, 'query'>): PurgeBatch {
  return createPurgeBatch(database, { what: 'sessions', table: 'sessions', key: 'id', expired: EXPIRED })
}
