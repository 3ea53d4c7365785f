import type { Revocation } from 'countersign-verifier'
import { MAX_ACCESS_TOKEN_LIFE } from 'countersign-verifier'
import type { Database, DbTransaction } from '../database/database.ts'

/** The channel that instances hear of revocations on. */
export const CHANNEL = 'countersign_revocations'

/** How long a row is kept, in seconds: as long as a token may live that it speaks of, and what clocks may differ. */
export const LEDGER_LIFE = MAX_ACCESS_TOKEN_LIFE + 60

/** This many rows for a user's sessions are as many as are kept: one row for the user then takes their place. */
export const MOST_SESSION_ROWS = 32

/** A version above every other: tokens of an account that is gone. */
export const NO_VERSION = 2_147_483_647

/** A row as the statements below give it back. */
export interface LedgerRow {
  kind: Revocation['kind']
  subject: string
  minVersion: number | null
  /** Unix seconds. */
  expiresAt: number
}

/** What a read of the ledger found. */
export interface LedgerReading {
  revocations: Revocation[]
  /** The snapshot it was read under: what a later reading need not ask for again. */
  snapshot: string
  /** The database's clock, Unix seconds. */
  now: number
}

/** The queries of the ledger. */
export interface LedgerStore {
  /** Everything live, or only what was not visible under an earlier snapshot. */
  read (since?: string): Promise<LedgerReading>
  /** Deletes at most `limit` expired rows, if no other instance is at it. @returns how many */
  purge (limit: number): Promise<number>
}

/** The columns of a ledger row, for `RETURNING` and `SELECT`. */
const COLUMNS = 'kind::text AS kind, subject, min_version AS "minVersion", ceil(extract(epoch FROM expires_at))::float8 AS "expiresAt"'

/**
 * SQL: a common table expression `noted` that writes ledger rows, and `announced` that tells every instance when the
 * transaction commits. So a row and what caused it are stored together or not at all.
 *
 * @param source a SELECT giving kind, subject, user_id, min_version
 */
export function noteSql (source: string): string {
  return `
    noted AS (
      INSERT INTO revocations (kind, subject, user_id, min_version, expires_at, xid)
      SELECT kind::revocation_kind, subject, user_id::uuid, min_version::int, now() + interval '${LEDGER_LIFE} seconds', pg_current_xact_id()::text::bigint
      FROM (${source}) AS cause
      RETURNING ${COLUMNS}
    ), announced AS (
      SELECT noted.*, pg_notify('${CHANNEL}', row_to_json(noted)::text)::text AS sent FROM noted
    )`
}

// What the earlier snapshot did not see is what began after it, and what it saw in progress. Both are index look-ups,
// however long a transaction has been holding its xmin back; sequence numbers and times would lose late commits.
const READ_SINCE = {
  name: 'revocations.read-since',
  text: `
    SELECT pg_current_snapshot()::text AS snapshot, extract(epoch FROM clock_timestamp())::float8 AS now,
      pg_snapshot_xmax(pg_current_snapshot())::text::bigint >= pg_snapshot_xmax($1::pg_snapshot)::text::bigint AS "isLater",
      (SELECT json_agg(row_to_json(entry)) FROM (
        SELECT ${COLUMNS} FROM revocations
        WHERE (xid >= pg_snapshot_xmax($1::pg_snapshot)::text::bigint
            OR xid = ANY (ARRAY(SELECT pg_snapshot_xip($1::pg_snapshot)::text::bigint)))
          AND expires_at > now()
      ) AS entry) AS entries`
}

const READ_ALL = {
  name: 'revocations.read-all',
  text: `
    SELECT pg_current_snapshot()::text AS snapshot, extract(epoch FROM clock_timestamp())::float8 AS now, true AS "isLater",
      (SELECT json_agg(row_to_json(entry)) FROM (SELECT ${COLUMNS} FROM revocations WHERE expires_at > now()) AS entry) AS entries`
}

const PURGE = {
  name: 'revocations.purge',
  text: `
    WITH expired AS (
      SELECT id FROM revocations
      WHERE expires_at < now() AND pg_try_advisory_xact_lock(hashtext('countersign purge'), 1)
      LIMIT $1 FOR UPDATE SKIP LOCKED
    ), gone AS (DELETE FROM revocations WHERE id IN (SELECT id FROM expired) RETURNING 1)
    SELECT count(*)::int AS count FROM gone`
}

export function createLedgerStore ({ query }: Pick<Database, 'query'>): LedgerStore {
  interface Row { snapshot: string, now: number, isLater: boolean, entries: LedgerRow[] | null }

  async function read (since?: string): Promise<LedgerReading> {
    const [row] = since === undefined ? await query<Row>(READ_ALL, []) : await query<Row>(READ_SINCE, [since])
    if (row === undefined) throw new Error('The ledger gave no answer')
    // Transaction ids went back: another cluster, or an older state of this one. Nothing of the cursor holds there.
    if (!row.isLater) return read()
    return { snapshot: row.snapshot, now: row.now, revocations: (row.entries ?? []).flatMap(toRevocation) }
  }

  return {
    read,
    async purge (limit) {
      const [row] = await query<{ count: number }>(PURGE, [limit])
      return row?.count ?? 0
    }
  }
}

/** Writes ledger rows within a transaction of Prisma's. @returns what was written, to be applied here once it commits */
export async function noteRevocation (tx: DbTransaction, { kind, subject, userId, minVersion }: { kind: Revocation['kind'], subject: string, userId?: string, minVersion?: number }): Promise<Revocation[]> {
  const rows = await tx.$queryRawUnsafe<LedgerRow[]>(
    `WITH ${noteSql('SELECT $1::text AS kind, $2::text AS subject, $3::text AS user_id, $4::int AS min_version')} SELECT * FROM announced`,
    kind, subject, userId ?? null, minVersion ?? null
  )
  return rows.flatMap(toRevocation)
}

/** @returns the entry of the set that a row stands for */
export function toRevocation ({ kind, subject, minVersion, expiresAt }: LedgerRow): Revocation[] {
  if (kind === 'session') return [{ kind, id: subject, expiresAt }]
  return minVersion === null ? [] : [{ kind: 'user', id: subject, minVersion, expiresAt }]
}
