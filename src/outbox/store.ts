import type { Database } from '../database/database.ts'
import { afterwardsSql } from '../database/afterwards-sql.ts'
import { createPurgeBatch, purgeTimeSql } from '../database/purge-batch.ts'
import type { PurgeBatch } from '../database/purge-job.ts'
import { statement } from '../database/statement.ts'

/** A message that this worker has claimed. */
export interface ClaimedRow {
  id: string
  kind: string
  userId: string | null
  payload: string
  attempts: number
  expiresAt: Date
}

/** A message as an operator sees it. */
export interface ListedMessage extends Omit<ClaimedRow, 'userId'> {
  createdAt: Date
  deadAt: Date | null
  lastError: string | null
}

/** How many messages wait, and how many are dead. */
export interface OutboxCount { waiting: number, dead: number }

export type OutboxStore = ReturnType<typeof createOutboxStore>

// Nothing is begun that may expire on its way.
const IS_LATE = "expires_at <= now() + interval '30 seconds'"
const DEAD_FOR = '14 days'
const MOST_COUNTED = 1_000

// MATERIALIZED, or a plan may lock more rows than the limit.
const CLAIM = statement('outbox.claim', `
  WITH due AS MATERIALIZED (
    SELECT id FROM outbox o WHERE dead_at IS NULL AND due_at <= now() AND ${afterwardsSql(`
      NOT ${IS_LATE} AND kind = ANY(:kinds::text[])
      AND (lane IS NULL OR NOT EXISTS (SELECT FROM outbox b WHERE b.lane = o.lane AND b.seq < o.seq AND b.dead_at IS NULL))`)}
    ORDER BY due_at LIMIT :limit FOR UPDATE SKIP LOCKED
  )
  UPDATE outbox SET attempts = attempts + 1, claim = :claim::uuid, due_at = now() + make_interval(secs => :lease::float8)
  WHERE id = ANY (ARRAY(SELECT id FROM due))
  RETURNING outbox.id::text AS id, kind, user_id::text AS "userId", payload, attempts, expires_at AS "expiresAt"`)

const IS_CLAIMED = 'id = :id::uuid AND claim = :claim::uuid'
const REMOVE = statement('outbox.remove', `DELETE FROM outbox WHERE ${IS_CLAIMED}`)
const POSTPONE = statement('outbox.postpone', `
  UPDATE outbox SET claim = NULL, due_at = now() + make_interval(secs => :delay::float8), attempts = attempts - :uncounted::int, last_error = coalesce(:reason::text, last_error)
  WHERE ${IS_CLAIMED}`)
const BURY = statement('outbox.bury', `UPDATE outbox SET claim = NULL, dead_at = now(), last_error = :reason WHERE ${IS_CLAIMED}`)

// Every instance counts, all the time.
const COUNT = statement('outbox.count', `
  SELECT (SELECT count(*)::int FROM (SELECT FROM outbox WHERE dead_at IS NULL AND ${afterwardsSql(`NOT ${IS_LATE}`)} ORDER BY due_at LIMIT ${MOST_COUNTED}) AS waiting) AS waiting,
    (SELECT count(*)::int FROM (SELECT FROM outbox WHERE dead_at IS NOT NULL ORDER BY dead_at LIMIT ${MOST_COUNTED}) AS dead) AS dead`)

const LISTED = 'id::text AS id, kind, payload, attempts, expires_at AS "expiresAt", created_at AS "createdAt", dead_at AS "deadAt", last_error AS "lastError"'
// Ids are UUID v7, in the order of creation.
const LIST = statement('outbox.list', `SELECT ${LISTED} FROM outbox WHERE ${afterwardsSql('kind = ANY(:kinds::text[])')} ORDER BY outbox.id LIMIT 1000`)
const LIST_DEAD = statement('outbox.list-dead', `SELECT ${LISTED} FROM outbox WHERE dead_at IS NOT NULL AND ${afterwardsSql('kind = ANY(:kinds::text[])')} ORDER BY dead_at LIMIT 1000`)

const REVIVE = statement('outbox.revive', `
  UPDATE outbox SET dead_at = NULL, attempts = 0, due_at = now() WHERE id = :id::uuid AND kind = ANY(:kinds::text[]) AND dead_at IS NOT NULL AND NOT ${IS_LATE} RETURNING 1`)

// What expired undelivered is shown to the operator, without what it said.
const EXPIRE = statement('outbox.expire', `
  WITH late AS MATERIALIZED (
    SELECT id FROM outbox
    WHERE payload <> '' AND ${purgeTimeSql('expires_at')} <= ${purgeTimeSql("(now() + interval '30 seconds')")}
      AND ((dead_at IS NULL AND due_at <= now()) OR (dead_at IS NOT NULL AND expires_at <= now()))
    ORDER BY ${purgeTimeSql('expires_at')} LIMIT :limit FOR UPDATE SKIP LOCKED
  ), expired AS (
    UPDATE outbox SET dead_at = coalesce(dead_at, now()), claim = NULL, payload = '', last_error = coalesce(last_error, 'expired before it was tried')
    WHERE id = ANY (ARRAY(SELECT id FROM late)) RETURNING 1
  )
  SELECT count(*)::int AS count FROM expired`)

const OLD = `SELECT id FROM outbox WHERE (SELECT turn FROM mine) AND dead_at IS NOT NULL AND dead_at < now() - interval '${DEAD_FOR}' ORDER BY dead_at LIMIT :limit`

/** The queries of delivering. Those of a claimed message do nothing once another worker has claimed it. */
export function createOutboxStore ({ query }: Pick<Database, 'query'>) {
  const purge = createPurgeBatch({ query }, { what: 'outbox', table: 'outbox', key: 'id', expired: OLD })
  const expire: PurgeBatch = async limit => {
    const [row] = await query<{ count: number }>(EXPIRE, { limit })
    return row?.count ?? 0
  }

  return {
    /**
     * Claims messages that are due. Whoever dies with them loses them to another worker when the lease ends.
     *
     * @param lease seconds
     */
    claim: ({ claim, kinds, limit, lease }: { claim: string, kinds: readonly string[], limit: number, lease: number }): Promise<ClaimedRow[]> =>
      query<ClaimedRow>(CLAIM, { claim, kinds, limit, lease }),

    /** Removes a message that was delivered. */
    async remove (id: string, claim: string): Promise<void> {
      await query(REMOVE, { id, claim })
    },

    /** Gives a message back, to be tried again after `delay` seconds. */
    async postpone (id: string, claim: string, { delay, isCounted, reason }: { delay: number, isCounted: boolean, reason: string | null }): Promise<void> {
      await query(POSTPONE, { id, claim, delay, uncounted: isCounted ? 0 : 1, reason })
    },

    /** Gives a message up. */
    async bury (id: string, claim: string, reason: string): Promise<void> {
      await query(BURY, { id, claim, reason })
    },

    /** Counts up to 1,000 of each. */
    async count (): Promise<OutboxCount> {
      const [row] = await query<OutboxCount>(COUNT, {})
      return row ?? { waiting: 0, dead: 0 }
    },

    /** Lists messages of some kinds, at most 1,000: the oldest first, or of the dead ones those that have been so the longest. */
    list: ({ kinds, dead }: { kinds: readonly string[], dead: boolean }): Promise<ListedMessage[]> => query<ListedMessage>(dead ? LIST_DEAD : LIST, { kinds }),

    /** Has a dead message tried again. @returns whether there is such a one, and it has not expired */
    async revive (id: string, kinds: readonly string[]): Promise<boolean> {
      return (await query(REVIVE, { id, kinds })).length === 1
    },

    /** Buries what has expired, and deletes what was buried 14 days ago. */
    purges: [expire, purge] as const
  }
}
