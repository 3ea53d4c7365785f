import type { Database } from '../database/database.ts'
import type { PurgeBatch } from '../database/purge-job.ts'
import { createPurgeBatch } from '../database/purge-batch.ts'

// Ended sessions are kept for an hour, so that a late repeat is not taken for an invalid token.
const EXPIRED = `
  (SELECT id FROM sessions WHERE (SELECT turn FROM mine) AND idle_ends_at < now() LIMIT :limit)
  UNION
  (SELECT id FROM sessions WHERE (SELECT turn FROM mine) AND ended_at < now() - interval '1 hour' LIMIT :limit)
  LIMIT :limit`

/** @returns a function that deletes a batch of ended or expired sessions */
export function createSessionPurge (database: Pick<Database, 'query'>): PurgeBatch {
  return createPurgeBatch(database, { what: 'sessions', table: 'sessions', key: 'id', expired: EXPIRED })
}
