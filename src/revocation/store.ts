import { MAX_ACCESS_TOKEN_LIFE, type Revocation } from 'countersign-verifier/core'
import type { Database, DbTransaction, Statement } from '../database/database.ts'
import { within } from '../database/within.ts'

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
  /** Unix seconds, to the millisecond. */
  expiresAt: number
}

const READ_TIMEOUT = 2_000
const PORTION = 10_000

/** What a read of the ledger was made under. */
export interface LedgerReading {
  /** The snapshot: what was visible under it a later reading need not ask for again. */
  snapshot: string
  /** The database's clock, Unix seconds. */
  now: number
}

/** The queries of the ledger. */
export interface LedgerStore {
  /**
   * Hands on everything live, portion by portion, or only what was not visible under an earlier snapshot.
   *
   * @throws DatabaseUnavailable when a statement has taken longer than 2 s
   */
  read (take: (rows: readonly LedgerRow[]) => void, since?: string): Promise<LedgerReading>
  /** Deletes at most `limit` expired rows, if no other instance is at it. @returns how many */
  purge (limit: number): Promise<number>
}

/** The columns of a ledger row, for `RETURNING` and `SELECT`. */
const COLUMNS = 'kind::text AS kind, subject, min_version AS "minVersion", extract(epoch FROM expires_at)::float8 AS "expiresAt"'

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

// By id and not in one piece: there may be a million. What commits meanwhile is not visible under the first portion's
// snapshot, and so is read next.
const READ_ALL = {
  name: 'revocations.read-all',
  text: `
    SELECT pg_current_snapshot()::text AS snapshot, extract(epoch FROM clock_timestamp())::float8 AS now, true AS "isLater", max(id)::float8 AS last,
      json_agg(json_build_object('kind', kind, 'subject', subject, 'minVersion', "minVersion", 'expiresAt', "expiresAt")) AS entries
    FROM (SELECT id, ${COLUMNS} FROM revocations WHERE id > $1::bigint AND expires_at > now() ORDER BY id LIMIT ${PORTION}) AS entry`
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
  interface Portion extends Row { last: number | null }

  async function ask<Found extends Row> (statement: Statement, value: string | number): Promise<Found> {
    const [row] = await within(READ_TIMEOUT, query<Found>(statement, [value]))
    if (row === undefined) throw new Error('The ledger gave no answer')
    return row
  }

  async function readAll (take: (rows: readonly LedgerRow[]) => void): Promise<LedgerReading> {
    const { snapshot, now, ...first } = await ask<Portion>(READ_ALL, 0)
    let portion: Pick<Portion, 'entries' | 'last'> = first
    take(portion.entries ?? [])
    while (portion.entries?.length === PORTION) {
      portion = await ask<Portion>(READ_ALL, portion.last ?? 0)
      take(portion.entries ?? [])
    }
    return { snapshot, now }
  }

  async function read (take: (rows: readonly LedgerRow[]) => void, since?: string): Promise<LedgerReading> {
    if (since === undefined) return readAll(take)
    const { snapshot, now, isLater, entries } = await ask<Row>(READ_SINCE, since)
    // Transaction ids went back: another cluster, or an older state of this one. Nothing of the cursor holds there.
    if (!isLater) return readAll(take)
    take(entries ?? [])
    return { snapshot, now }
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
export async function noteRevocation (tx: DbTransaction, { kind, subject, userId, minVersion }: { kind: Revocation['kind'] | 'client', subject: string, userId?: string, minVersion?: number }): Promise<Revocation[]> {
  const rows = await tx.$queryRawUnsafe<LedgerRow[]>(
    `WITH ${noteSql('SELECT $1::text AS kind, $2::text AS subject, $3::text AS user_id, $4::int AS min_version')} SELECT * FROM announced`,
    kind, subject, userId ?? null, minVersion ?? null
  )
  return rows.flatMap(toRevocation)
}

/**
 * Where `more` sessions of a user would be more than the ledger lists, takes out those that it does: the caller has to
 * write a row for the user in their place.
 *
 * @returns whether that is so
 */
export async function collapseSessions (tx: DbTransaction, userId: string, more: number): Promise<boolean> {
  const [listed] = await tx.$queryRaw<Array<{ count: number }>>`
    SELECT count(*)::int AS count FROM revocations WHERE user_id = ${userId}::uuid AND kind = 'session' AND expires_at > now()`
  if ((listed?.count ?? 0) + more <= MOST_SESSION_ROWS) return false
  await tx.revocation.deleteMany({ where: { userId, kind: 'session' } })
  return true
}

/** @returns the entry of the set that a row stands for, none where it is of a kind that no token is refused by */
export function toRevocation ({ kind, subject: id, minVersion, expiresAt: exact }: LedgerRow): Revocation[] {
  const expiresAt = Math.ceil(exact)
  if (kind === 'session' || kind === 'client') return [{ kind, id, expiresAt }]
  return kind === 'user' && minVersion !== null ? [{ kind, id, minVersion, expiresAt }] : []
}
