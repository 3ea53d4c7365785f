import type { Database } from '../database/database.ts'
import { createPurgeBatch } from '../database/purge-batch.ts'
import { statement, type Statement } from '../database/statement.ts'
import { withTimeout } from '../database/with-timeout.ts'
import { readCursor, writeCursor } from './cursor.ts'
import { COLUMNS, type LedgerRow } from './ledger-writer.ts'
import { createSemaphore } from './semaphore.ts'

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

// What the earlier snapshot did not see is what began after it, and what was in progress then. Both are index look-ups,
// however long a transaction has been holding its xmin back; sequence numbers and times would lose late commits.
const READ_SINCE = statement('revocations.read-since', `
  SELECT ${POSITION}, pg_snapshot_xmax(pg_current_snapshot())::text::bigint >= pg_snapshot_xmax(:snapshot::pg_snapshot)::text::bigint AS "isLater",
    (SELECT json_agg(row_to_json(entry)) FROM (
      SELECT ${COLUMNS} FROM revocations
      WHERE (xid >= pg_snapshot_xmax(:snapshot::pg_snapshot)::text::bigint
          OR xid = ANY (ARRAY(SELECT pg_snapshot_xip(:snapshot::pg_snapshot)::text::bigint)))
        AND expires_at > now()
      LIMIT ${BATCH}
    ) AS entry) AS entries`)

// In batches, by id: there may be a million rows. What commits meanwhile is not visible under the first batch's snapshot,
// so the next read finds it.
const READ_BATCH = statement('revocations.read-all', `
  SELECT ${POSITION}, max(id)::float8 AS last,
    json_agg(json_build_object('kind', kind, 'subject', subject, 'minVersion', "minVersion", 'expiresAt', "expiresAt")) AS entries
  FROM (SELECT id, ${COLUMNS} FROM revocations WHERE id > :after::bigint AND expires_at > now() ORDER BY id LIMIT ${BATCH}) AS entry`)

const EXPIRED = 'SELECT id FROM revocations WHERE (SELECT turn FROM mine) AND expires_at < now() LIMIT :limit FOR UPDATE SKIP LOCKED'

interface Result { identity: string | null, snapshot: string, now: number, entries: LedgerRow[] | null }
interface ResultSince extends Result { isLater: boolean }
interface Batch extends Result { last: number | null }

/** @param concurrency how many reads may query the database at the same time */
export function createLedgerReader ({ query }: Pick<Database, 'query'>, { concurrency = Infinity } = {}) {
  const inTurn = createSemaphore(concurrency)

  async function run<Found extends Result> (statement: Statement, values: Readonly<Record<string, unknown>>): Promise<Found> {
    const [result] = await inTurn(() => withTimeout(READ_TIMEOUT, query<Found>(statement, values)))
    if (result === undefined) throw new Error('Reading the ledger returned no row')
    return result
  }

  /** Reads what an earlier read did not see. @returns `undefined` for a cursor of another ledger, or one that is far behind */
  async function readSince (take: TakeRows, since: string): Promise<LedgerReading | undefined> {
    const position = readCursor(since)
    if (position === undefined) return undefined
    const { identity, snapshot, now, isLater, entries } = await run<ResultSince>(READ_SINCE, { snapshot: position.snapshot })
    if (identity === null || identity !== position.identity || !isLater || entries?.length === BATCH) return undefined
    await take(entries ?? [])
    return { cursor: writeCursor({ identity, snapshot }), now }
  }

  async function readAll (take: TakeRows): Promise<LedgerReading> {
    const { identity, snapshot, now, ...first } = await run<Batch>(READ_BATCH, { after: 0 })
    if (identity === null) {
      await withTimeout(READ_TIMEOUT, query(IDENTIFY, {}))
      return readAll(take)
    }
    let batch: Pick<Batch, 'entries' | 'last'> = first
    await take(batch.entries ?? [])
    while (batch.entries?.length === BATCH) {
      const next = await run<Batch>(READ_BATCH, { after: batch.last ?? 0 })
      if (next.identity !== identity) throw new Error('The ledger was replaced by another while it was read')
      batch = next
      await take(batch.entries ?? [])
    }
    return { cursor: writeCursor({ identity, snapshot }), now }
  }

  return {
    /**
     * Reads all live rows, batch by batch, or only those that an earlier read did not see. An invalid cursor, one of another
     * ledger, or one that is ahead of this ledger counts as no cursor.
     *
     * @throws DatabaseUnavailable when a statement takes longer than 2 s
     */
    read: async (take: TakeRows, since?: string): Promise<LedgerReading> => (since === undefined ? undefined : await readSince(take, since)) ?? await readAll(take),
    purge: createPurgeBatch({ query }, { what: 'revocations', table: 'revocations', key: 'id', expired: EXPIRED })
  }
}
