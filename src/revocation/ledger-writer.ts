import { MAX_ACCESS_TOKEN_LIFE, type Revocation } from 'countersign-verifier/internal'
import type { DbTransaction } from '../database/database.ts'

/** The channel that instances hear of revocations on. */
export const CHANNEL = 'countersign_revocations'

/** How long a row is kept, in seconds: as long as a token may live that it speaks of, and what clocks may differ. */
export const LEDGER_LIFE = MAX_ACCESS_TOKEN_LIFE + 60

/** This many rows for a user's sessions are as many as are kept: one row for the user then takes their place. */
export const MAX_SESSION_ROWS = 32

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

/** The columns of a ledger row, for `RETURNING` and `SELECT`. */
export const COLUMNS = 'kind::text AS kind, subject, min_version AS "minVersion", extract(epoch FROM expires_at)::float8 AS "expiresAt"'

/**
 * SQL: a common table expression `noted` that writes ledger rows, and `announced` that tells every instance when the
 * transaction commits. So a row and what caused it are stored together or not at all.
 *
 * @param source a SELECT giving kind, subject, user_id, min_version
 */
export function revocationSql (source: string): string {
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

/** Writes ledger rows within a transaction of Prisma's. @returns what was written, to be applied here once it commits */
export async function recordRevocation (tx: DbTransaction, { kind, subject, userId, minVersion }: { kind: Revocation['kind'], subject: string, userId?: string, minVersion?: number }): Promise<Revocation[]> {
  const rows = await tx.$queryRawUnsafe<LedgerRow[]>(
    `WITH ${revocationSql('SELECT $1::text AS kind, $2::text AS subject, $3::text AS user_id, $4::int AS min_version')} SELECT * FROM announced`,
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
  if ((listed?.count ?? 0) + more <= MAX_SESSION_ROWS) return false
  await tx.revocation.deleteMany({ where: { userId, kind: 'session' } })
  return true
}

/** @returns the entry of the set that a row stands for, none where it is of a kind that is not known yet */
export function toRevocation ({ kind, subject: id, minVersion, expiresAt: expires }: LedgerRow): Revocation[] {
  const expiresAt = Math.ceil(expires)
  if (kind === 'session' || kind === 'client') return [{ kind, id, expiresAt }]
  return kind === 'user' && minVersion !== null ? [{ kind, id, minVersion, expiresAt }] : []
}
