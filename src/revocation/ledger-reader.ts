import type { Database, Statement } from '../database/database.ts'
import { createPurgeBatch } from '../database/purge-batch.ts'
import { createSemaphore } from './semaphore.ts'
import { withTimeout } from '../database/with-timeout.ts'
import { readCursor, writeCursor } from './cursor.ts'
import { COLUMNS, type LedgerRow } from './ledger-writer.ts'

const READ_TIMEOUT = 2_000
const PORTION = 10_000

/** What a read of the ledger was made under. */
export interface LedgerReading {
  /** Where it stood, for a later one to go on from. Opaque. */
  cursor: string
  /** The database's clock, Unix seconds. */
  now: number
}

/** Takes a portion of the ledger; the next is not asked for before it is done. */
export type TakeRows = (rows: readonly LedgerRow[]) => void | Promise<void>

/** The queries of who follows the ledger. */
export interface LedgerReader {
  /**
   * Hands on everything live, portion by portion, or only what an earlier reading did not see. A cursor that is none, or
   * of another ledger, or from a future that this one has not had, is as good as no cursor.
   *
   * @throws DatabaseUnavailable when a statement has taken longer than 2 s
   */
  read (take: TakeRows, since?: string): Promise<LedgerReading>
  /** Deletes at most `limit` expired rows, if no other instance is at it. @returns how many */
  purge (limit: number): Promise<number>
}

// The id alone would be copied with the data into another database or cluster: there the row stands in another database,
// or was written by another transaction.
const STANDING = `
  (SELECT concat_ws('.', id, xmin, (SELECT oid FROM pg_database WHERE datname = current_database())) FROM ledger_identity) AS identity,
  pg_current_snapshot()::text AS snapshot, extract(epoch FROM clock_timestamp())::float8 AS now`

const IDENTIFY = {
  name: 'revocations.identify',
  text: 'INSERT INTO ledger_identity DEFAULT VALUES ON CONFLICT DO NOTHING'
}

// What the earlier snapshot did not see is what began after it, and what it saw in progress. Both are index look-ups,
// however long a transaction has been holding its xmin back; sequence numbers and times would lose late commits.
const READ_SINCE = {
  name: 'revocations.read-since',
  text: `
    SELECT ${STANDING}, pg_snapshot_xmax(pg_current_snapshot())::text::bigint >= pg_snapshot_xmax($1::pg_snapshot)::text::bigint AS "isLater",
      (SELECT json_agg(row_to_json(entry)) FROM (
        SELECT ${COLUMNS} FROM revocations
        WHERE (xid >= pg_snapshot_xmax($1::pg_snapshot)::text::bigint
            OR xid = ANY (ARRAY(SELECT pg_snapshot_xip($1::pg_snapshot)::text::bigint)))
          AND expires_at > now()
        LIMIT ${PORTION}
      ) AS entry) AS entries`
}

// By id and not in one piece: there may be a million. What commits meanwhile is not visible under the first portion's
// snapshot, and so is read next.
const READ_ALL = {
  name: 'revocations.read-all',
  text: `
    SELECT ${STANDING}, max(id)::float8 AS last,
      json_agg(json_build_object('kind', kind, 'subject', subject, 'minVersion', "minVersion", 'expiresAt', "expiresAt")) AS entries
    FROM (SELECT id, ${COLUMNS} FROM revocations WHERE id > $1::bigint AND expires_at > now() ORDER BY id LIMIT ${PORTION}) AS entry`
}

const OVER = 'SELECT id FROM revocations WHERE (SELECT turn FROM mine) AND expires_at < now() LIMIT $1 FOR UPDATE SKIP LOCKED'

interface Answer { identity: string | null, snapshot: string, now: number, entries: LedgerRow[] | null }
interface AnswerSince extends Answer { isLater: boolean }
interface Portion extends Answer { last: number | null }

/** @param atOnce how many readings may be asking the database at the same time */
export function createLedgerReader ({ query }: Pick<Database, 'query'>, { atOnce = Infinity } = {}): LedgerReader {
  const inTurn = createSemaphore(atOnce)

  async function ask<Found extends Answer> (statement: Statement, value: string | number): Promise<Found> {
    const [answer] = await inTurn(() => withTimeout(READ_TIMEOUT, query<Found>(statement, [value])))
    if (answer === undefined) throw new Error('The ledger gave no answer')
    return answer
  }

  /** Reads what a position did not see. @returns `undefined` where the position is none of this ledger's, or far behind */
  async function readSince (take: TakeRows, since: string): Promise<LedgerReading | undefined> {
    const position = readCursor(since)
    if (position === undefined) return undefined
    const { identity, snapshot, now, isLater, entries } = await ask<AnswerSince>(READ_SINCE, position.snapshot)
    if (identity === null || identity !== position.identity || !isLater || entries?.length === PORTION) return undefined
    await take(entries ?? [])
    return { cursor: writeCursor({ identity, snapshot }), now }
  }

  async function readAll (take: TakeRows): Promise<LedgerReading> {
    const { identity, snapshot, now, ...first } = await ask<Portion>(READ_ALL, 0)
    if (identity === null) {
      await withTimeout(READ_TIMEOUT, query(IDENTIFY, []))
      return readAll(take)
    }
    let portion: Pick<Portion, 'entries' | 'last'> = first
    await take(portion.entries ?? [])
    while (portion.entries?.length === PORTION) {
      const next = await ask<Portion>(READ_ALL, portion.last ?? 0)
      if (next.identity !== identity) throw new Error('The ledger became another while it was read')
      portion = next
      await take(portion.entries ?? [])
    }
    return { cursor: writeCursor({ identity, snapshot }), now }
  }

  return {
    read: async (take, since) => (since === undefined ? undefined : await readSince(take, since)) ?? await readAll(take),
    purge: createPurgeBatch({ query }, { what: 'revocations', table: 'revocations', key: 'id', over: OVER })
  }
}
