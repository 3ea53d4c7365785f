import type { Database } from '../database/database.ts'
import { createPurgeBatch, purgeTimeSql } from '../database/purge-batch.ts'
import type { PurgeBatch } from '../database/purge-job.ts'
import { statement, type Statement } from '../database/statement.ts'
import { withTimeout } from '../database/with-timeout.ts'
import { readCursor, writeCursor } from './cursor.ts'
import { COLUMNS, type LedgerRow } from './ledger-writer.ts'

const READ_TIMEOUT = 2_000
const BATCH = 10_000

/** Where a read of the ledger ended. */
export interface LedgerReading {
  /** What a later read continues from. Opaque. */
  cursor: string
  /** The database's clock, Unix seconds. */
  now: number
}

/** Takes a batch of rows; the next is not read before it is done. */
export type TakeRows = (rows: readonly LedgerRow[]) => void | Promise<void>

export type LedgerReader = ReturnType<typeof createLedgerReader>

// The id alone would be copied with the data into another database or cluster: there the row stands in another database,
// or was written by another transaction.
const POSITION = `
  (SELECT concat_ws('.', id, xmin, (SELECT oid FROM pg_database WHERE datname = current_database())) FROM ledger_identity) AS identity,
  pg_current_snapshot()::text AS snapshot, extract(epoch FROM clock_timestamp())::float8 AS now`

const IDENTIFY = statement('revocations.identify', 'INSERT INTO ledger_identity DEFAULT VALUES ON CONFLICT DO NOTHING')

const SINCE = 'pg_snapshot_xmax(:snapshot::pg_snapshot)::text::bigint'
const LATEST = `ORDER BY xid LIMIT ${BATCH}`

// What the earlier snapshot did not see is what began after it, and what was in progress then. Both are index look-ups,
// however long a transaction has been holding its xmin back; sequence numbers and times would lose late commits. Each has the
// order of that index, and a limit: a plan by any other would have to sort first. What has expired is left out afterwards.
const READ_SINCE = statement('revocations.read-since', `
  WITH unseen AS MATERIALIZED (
    (SELECT * FROM revocations WHERE xid >= ${SINCE} ${LATEST})
    UNION ALL
    (SELECT late.* FROM pg_snapshot_xip(:snapshot::pg_snapshot) AS running,
      LATERAL (SELECT * FROM revocations WHERE xid BETWEEN running::text::bigint AND running::text::bigint ${LATEST}) AS late LIMIT ${BATCH})
  )
  SELECT ${POSITION}, pg_snapshot_xmax(pg_current_snapshot())::text::bigint >= ${SINCE} AS "isLater", (SELECT count(*)::int FROM unseen) AS count,
    (SELECT json_agg(row_to_json(entry)) FROM (SELECT ${COLUMNS} FROM unseen WHERE expires_at > now()) AS entry) AS entries`)

// In batches, by id: there may be a million rows. What commits meanwhile is not visible under the first batch's snapshot,
// so the next read finds it. A batch is as many rows as are read, expired or not: none takes longer than another.
const READ_BATCH = statement('revocations.read-all', `
  WITH batch AS MATERIALIZED (SELECT * FROM revocations WHERE id > :after::bigint ORDER BY id LIMIT ${BATCH})
  SELECT ${POSITION}, (SELECT max(id)::float8 FROM batch) AS last, (SELECT count(*)::int FROM batch) AS count,
    (SELECT json_agg(row_to_json(entry)) FROM (SELECT ${COLUMNS} FROM batch WHERE expires_at > now()) AS entry) AS entries`)

const EXPIRED = `
  SELECT id FROM revocations WHERE (SELECT turn FROM mine) AND ${purgeTimeSql('expires_at')} < ${purgeTimeSql('now()')}
  ORDER BY ${purgeTimeSql('expires_at')} LIMIT :limit FOR UPDATE SKIP LOCKED`

/** `count` is how many rows were read, those included that have expired. */
interface Result { identity: string | null, snapshot: string, now: number, count: number, entries: LedgerRow[] | null }
interface ResultSince extends Result { isLater: boolean }
interface Batch extends Result { last: number | null }

export function createLedgerReader ({ query }: Pick<Database, 'query'>) {
  async function run<Found extends Result> (statement: Statement, values: Readonly<Record<string, unknown>>): Promise<Found> {
    const [result] = await withTimeout(READ_TIMEOUT, query<Found>(statement, values))
    if (result === undefined) throw new Error('Reading the ledger returned no row')
    return result
  }

  async function readSince (take: TakeRows, since: string): Promise<LedgerReading | undefined> {
    const position = readCursor(since)
    if (position === undefined) return undefined
    const { identity, snapshot, now, isLater, count, entries } = await run<ResultSince>(READ_SINCE, { snapshot: position.snapshot })
    if (identity === null || identity !== position.identity || !isLater || count >= BATCH) return undefined
    await take(entries ?? [])
    return { cursor: writeCursor({ identity, snapshot }), now }
  }

  async function readAll (take: TakeRows): Promise<LedgerReading> {
    const { identity, snapshot, now, ...first } = await run<Batch>(READ_BATCH, { after: 0 })
    if (identity === null) {
      await withTimeout(READ_TIMEOUT, query(IDENTIFY, {}))
      return readAll(take)
    }
    let batch: Pick<Batch, 'entries' | 'last' | 'count'> = first
    await take(batch.entries ?? [])
    while (batch.count === BATCH) {
      const next = await run<Batch>(READ_BATCH, { after: batch.last ?? 0 })
      if (next.identity !== identity) throw new Error('The ledger was replaced by another while it was read')
      batch = next
      await take(batch.entries ?? [])
    }
    return { cursor: writeCursor({ identity, snapshot }), now }
  }

  return {
    /**
     * Reads what an earlier read did not see.
     *
     * @returns `undefined` for an invalid cursor, one of another ledger, one that is ahead of this ledger, or one that is 10,000 rows behind
     * @throws DatabaseUnavailable when the statement takes longer than 2 s
     */
    readSince,
    /**
     * Reads all live rows, batch by batch, or only those that an earlier read did not see. An invalid cursor, one of another
     * ledger, or one that is ahead of this ledger counts as no cursor.
     *
     * @throws DatabaseUnavailable when a statement takes longer than 2 s
     */
    read: async (take: TakeRows, since?: string): Promise<LedgerReading> => (since === undefined ? undefined : await readSince(take, since)) ?? await readAll(take)
  }
}

/** @returns a function that deletes a batch of expired rows */
export function createLedgerPurge (database: Pick<Database, 'query'>): PurgeBatch {
  return createPurgeBatch(database, { what: 'revocations', table: 'revocations', key: 'id', expired: EXPIRED })
}
