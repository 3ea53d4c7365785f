import { LEDGER_LIFE, type Revocation } from 'countersign-verifier/internal'
import type { DbTransaction } from '../database/database.ts'
import { bindValues, statement } from '../database/statement.ts'

/** The channel on which instances are notified of revocations. */
export const CHANNEL = 'countersign_revocations'

/** How many rows for a user's sessions, or a client's tokens, are kept. Beyond them, one row for the user or client takes their place. */
export const MAX_SESSION_ROWS = 32

/** Higher than any version: revokes all tokens of a deleted account. */
export const NO_VERSION = 2_147_483_647

/** Whether the ledger can have it as the lowest version that is not revoked. */
export function isVersion (value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) > 0 && Number(value) <= NO_VERSION
}

/** A row as the statements below return it. */
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
 * SQL: the common table expressions `noted`, which writes ledger rows, and `announced`, which notifies every instance when
 * the transaction commits. A row and what caused it are stored together or not at all.
 *
 * @param source a SELECT giving kind, subject, user_id, min_version
 * @param clientId the client that it is about, or whose token it is about, an expression
 */
export function revocationSql (source: string, clientId = 'NULL'): string {
  return `
    noted AS (
      INSERT INTO revocations (kind, subject, user_id, client_id, min_version, expires_at, xid)
      SELECT kind::revocation_kind, subject, user_id::uuid, ${clientId}, min_version::int, now() + interval '${LEDGER_LIFE} seconds', pg_current_xact_id()::text::bigint
      FROM (${source}) AS cause
      RETURNING ${COLUMNS}
    ), announced AS (
      SELECT noted.*, pg_notify('${CHANNEL}', row_to_json(noted)::text)::text AS sent FROM noted
    )`
}

const RECORD = statement('revocations.record', `
  WITH ${revocationSql('SELECT :kind::text AS kind, :subject::text AS subject, :userId::text AS user_id, :minVersion::int AS min_version', ':clientId')}
  SELECT * FROM announced`)

/** Writes a ledger row within a transaction of Prisma. @returns what was written, to be applied here once it commits */
export async function recordRevocation (tx: DbTransaction, { kind, subject, userId = kind === 'user' ? subject : null, minVersion = null }: { kind: Revocation['kind'], subject: string, userId?: string | null, minVersion?: number | null }): Promise<Revocation[]> {
  const rows = await tx.$queryRawUnsafe<LedgerRow[]>(RECORD.text, ...bindValues(RECORD, { kind, subject, userId, clientId: kind === 'client' ? subject : null, minVersion }))
  return rows.flatMap(toRevocation)
}

/**
 * Deletes the rows of a user's sessions where `more` of them would be too many: the caller then has to write a row for the
 * user in their place.
 *
 * @returns whether it did
 */
export async function collapseSessions (tx: DbTransaction, userId: string, more: number): Promise<boolean> {
  const [listed] = await tx.$queryRaw<Array<{ count: number }>>`
    SELECT count(*)::int AS count FROM revocations WHERE user_id = ${userId}::uuid AND kind = 'session' AND expires_at > now()`
  if ((listed?.count ?? 0) + more <= MAX_SESSION_ROWS) return false
  await tx.revocation.deleteMany({ where: { userId, kind: 'session' } })
  return true
}

/** @returns the revocation of a row, or none for a kind that this version does not know */
export function toRevocation ({ kind, subject: id, minVersion, expiresAt: expires }: LedgerRow): Revocation[] {
  const expiresAt = Math.ceil(expires)
  if (kind === 'session' || (kind === 'client' && minVersion === null)) return [{ kind, id, expiresAt }]
  return (kind === 'user' || kind === 'client') && minVersion !== null ? [{ kind, id, minVersion, expiresAt }] : []
}
