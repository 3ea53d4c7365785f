import { v7 as uuidv7 } from 'uuid'
import { MAX_ACCESS_TOKEN_LIFE, type Revocation } from 'countersign-verifier/internal'
import { auditSql, type AuditEvent } from '../audit/store.ts'
import type { Database, DbTransaction, Statement } from '../database/database.ts'
import { statement } from '../database/statement.ts'
import type { ClientInfo } from '../http/client-info.ts'
import { outboxSql, outboxValues, type OutboxRow } from '../outbox/enqueue.ts'
import { collapseSessions, MAX_SESSION_ROWS, recordRevocation, revocationSql, toRevocation, type LedgerRow } from '../revocation/ledger-writer.ts'
import { isLiveSql } from './session-sql.ts'

/** A session by its id and, where a refresh token named it, its nonce. */
export interface NamedSession {
  sessionId: string
  nonce?: Buffer
}

/** What names a session: its id, or the hash of the secret of its cookie. */
export type SessionName = NamedSession | { secretHash: Buffer }

/** How many live sessions a user may have: the oldest end. */
export const MAX_LIVE_SESSIONS = 100

export type EndSessionStore = ReturnType<typeof createEndSessionStore>

const REASONS = {
  logout: ['logout', 'success'],
  revoked: ['session_end', 'success'],
  reused: ['refresh', 'reused'],
  ended: ['session_end', 'success'],
  replaced: ['session_end', 'success']
} as const satisfies Record<string, readonly [AuditEvent['action'], AuditEvent['outcome']]>

/**
 * One statement that ends the sessions that `where` selects. Where the user would then have more rows in the ledger than
 * are kept, the account's version rises and one row for the user replaces them all.
 *
 * @param unknown SQL: a row of the ledger for a session that is not in the database
 * @param also more common table expressions, which may read from `ended`
 * @param detail SQL of the session's row: the detail of its event in the audit trail
 *
 * The account is locked first, as by every change of its role or status: a different order of locks could deadlock.
 */
function endSessionStatement (name: string, reason: keyof typeof REASONS, where: string, { also = [], detail = 'NULL', mostRows = MAX_SESSION_ROWS, unknown }: { also?: readonly string[], detail?: string, mostRows?: number, unknown?: string } = {}): Statement {
  const [action, outcome] = REASONS[reason]
  // One parameter for several rows: each event's id is the given one, its last bytes replaced by those of the session's.
  const eventId = 'overlay(:eventId::text placing right(session_id::text, 12) from 25)'
  return statement(`sessions.${name}`, `
    WITH owner AS MATERIALIZED (
      SELECT id FROM users WHERE id IN (SELECT user_id FROM sessions WHERE ${where}) FOR NO KEY UPDATE
    ), ended AS (
      UPDATE sessions SET ended_at = now(), ended_reason = '${reason}' WHERE user_id IN (SELECT id FROM owner) AND ${where}
      RETURNING id AS session_id, user_id, ${detail} AS detail, CASE WHEN channel = 'session' THEN ARRAY[secret_hash, former_credential] END AS secrets
    ), crowded AS (
      SELECT user_id FROM ended GROUP BY user_id
      HAVING count(*) + (SELECT count(*) FROM revocations r WHERE r.user_id = ended.user_id AND r.kind = 'session' AND r.expires_at > now()) > ${mostRows}
    ), raised AS (
      UPDATE users SET version = version + 1 FROM crowded WHERE users.id = crowded.user_id
      RETURNING users.id, users.version
    ), collapsed AS (
      DELETE FROM revocations USING raised WHERE revocations.user_id = raised.id AND coalesce(revocations.min_version, 0) < raised.version
    ), ${revocationSql(`
      SELECT 'session' AS kind, session_id::text AS subject, user_id, NULL::int AS min_version FROM ended WHERE user_id NOT IN (SELECT id FROM raised)
      UNION ALL
      SELECT 'user', id::text, id, version FROM raised${unknown === undefined ? '' : ` UNION ALL ${unknown}`}`)
    }, ${[auditSql(action, outcome, 'ended', { id: eventId, detail: 'detail' }), ...also].join(', ')}
    SELECT announced.*, (SELECT string_agg(encode(secret, 'hex'), ',') FROM ended, unnest(secrets) AS secret) AS secrets FROM announced`)
}

// A credential from before a new password opens nothing any more. But whoever shows it wants this session to end.
const BY_TOKEN = 'id = :id::uuid AND (:nonce::bytea IS NULL OR nonce = :nonce OR former_credential = :nonce) AND ended_at IS NULL'
const BY_SECRET = "channel = 'session' AND (secret_hash = :secretHash::bytea OR former_credential = :secretHash) AND ended_at IS NULL"
// A token that was issued names a session that a failover may have lost: its access tokens go on. One row an hour.
const UNKNOWN = `
  SELECT 'session', :id::text, NULL, NULL WHERE :mayBeLost::bool AND NOT EXISTS (SELECT FROM sessions WHERE id = :id::uuid)
    AND NOT coalesce((SELECT bool_or(kind = 'session' AND expires_at > now()) FROM revocations WHERE subject = :id::text AND user_id IS NULL AND client_id IS NULL), false)`
const FORMER = '\'{"credential":"former"}\''
const LOG_OUT = endSessionStatement('log-out', 'logout', BY_TOKEN, { detail: `CASE WHEN nonce <> :nonce::bytea THEN ${FORMER} END`, unknown: UNKNOWN })
const LOG_OUT_STATEFUL = endSessionStatement('log-out-stateful', 'logout', BY_SECRET, { detail: `CASE WHEN secret_hash <> :secretHash::bytea THEN ${FORMER} END` })
const REVOKE = endSessionStatement('revoke', 'revoked', BY_TOKEN, { unknown: UNKNOWN })
const END_REUSED = endSessionStatement('end-reused', 'reused', 'id = :id::uuid AND ended_at IS NULL', { also: [outboxSql('ended')] })
const END_OWN = endSessionStatement('end-own', 'ended', `id = :id::uuid AND user_id = :userId::uuid AND ${isLiveSql()}`)
// All that a user may have at once fit: a row for the user would revoke the access token of the session that stays, too.
const END_OTHERS = endSessionStatement('end-others', 'ended', `user_id = :userId::uuid AND id <> :id::uuid AND ${isLiveSql()}`, { mostRows: MAX_SESSION_ROWS + MAX_LIVE_SESSIONS })
const END_OLDEST = endSessionStatement('end-oldest', 'replaced', `id IN (
  SELECT id FROM sessions WHERE user_id = :userId::uuid AND ${isLiveSql()} ORDER BY created_at DESC, id DESC OFFSET :kept::int
) AND ended_at IS NULL`)

// In seconds: the id has the time of the instance that opened the session.
const CLOCK_SLACK = 60

const byToken = ({ sessionId: id, nonce = null }: { sessionId: string, nonce?: Buffer | null }) => ({ id, nonce, mayBeLost: mayBeLost(id) })

/**
 * Whether access tokens of a session that the database does not know may go on, for a failover has lost it. Of older ones they
 * have expired, and what is unknown of them was purged: nobody makes the ledger grow with the tokens of those.
 */
export function mayBeLost (sessionId: string): boolean {
  const openedAt = Number.parseInt(sessionId.replace('-', '').slice(0, 12), 16)
  return openedAt > Date.now() - (MAX_ACCESS_TOKEN_LIFE + CLOCK_SLACK) * 1000
}

export interface EndSessionDeps extends Pick<Database, 'query'> {
  /** Called with the hashes of the secrets of stateful sessions that have ended. */
  onEnded (secretHashes: readonly Buffer[]): void
}

/** A row of the ledger, each with the secrets of all sessions that the statement ended: their hashes in hex, with commas between. */
interface EndedRow extends LedgerRow { secrets: string | null }

/** The queries of ending sessions. Each writes the ledger and the audit trail too, and returns what to apply to this instance. */
export function createEndSessionStore ({ query, onEnded }: EndSessionDeps) {
  async function end (statement: Statement, values: Readonly<Record<string, unknown>>, { ip, userAgent }: ClientInfo): Promise<Revocation[]> {
    const rows = await query<EndedRow>(statement, { ...values, eventId: uuidv7(), ip, userAgent })
    const secrets = rows[0]?.secrets ?? undefined
    if (secrets !== undefined) onEnded(secrets.split(',').map(secret => Buffer.from(secret, 'hex')))
    return rows.flatMap(toRevocation)
  }

  return {
    /** Ends one session. */
    logOut: (session: SessionName, client: ClientInfo) => 'secretHash' in session
      ? end(LOG_OUT_STATEFUL, { secretHash: session.secretHash }, client)
      : end(LOG_OUT, byToken(session), client),

    /** Ends one session at the request of another service. */
    revoke: (session: NamedSession, client: ClientInfo) => end(REVOKE, byToken(session), client),

    /** Ends a session whose refresh token was reused, and stores a notice to its owner. */
    endReused: (id: string, client: ClientInfo, notice: OutboxRow) => end(END_REUSED, { id, ...outboxValues(notice) }, client),

    /** Ends one session of a user. @returns `undefined` when the user has no such live session */
    async endOwn ({ id, userId }: { id: string, userId: string }, client: ClientInfo): Promise<Revocation[] | undefined> {
      const revocations = await end(END_OWN, { id, userId }, client)
      return revocations.length === 0 ? undefined : revocations
    },

    /** Ends all sessions of a user but one. */
    endOthers: ({ id, userId }: { id: string, userId: string }, client: ClientInfo) => end(END_OTHERS, { id, userId }, client),

    /** Ends the oldest sessions of a user, so that `kept` remain. */
    endOldest: ({ id: userId, kept }: { id: string, kept: number }, client: ClientInfo) => end(END_OLDEST, { userId, kept }, client)
  }
}

/** Ends all sessions of an account within a transaction, or all but one. @returns their ids */
export async function endSessions (tx: DbTransaction, userId: string, reason: string, except?: string): Promise<string[]> {
  const ended = await tx.$queryRaw<Array<{ id: string }>>`
    UPDATE sessions SET ended_at = now(), ended_reason = ${reason}
    WHERE user_id = ${userId}::uuid AND ended_at IS NULL AND (${except ?? null}::uuid IS NULL OR id <> ${except ?? null}::uuid) RETURNING id::text AS id`
  return ended.map(({ id }) => id)
}

/**
 * Writes the ledger's rows of sessions that `endSessions` ended, within a transaction that revokes all tokens of their user
 * besides. That covers their tokens too; but only these rows say that the sessions have ended.
 */
export async function recordEnded (tx: DbTransaction, userId: string, ended: readonly string[]): Promise<Revocation[]> {
  if (await collapseSessions(tx, userId, ended.length)) return []
  const revocations: Revocation[] = []
  for (const id of ended) revocations.push(...await recordRevocation(tx, { kind: 'session', subject: id, userId }))
  return revocations
}

/** Raises an account's version within a transaction, which revokes every token that was issued before. */
export async function raiseVersion (tx: DbTransaction, userId: string): Promise<Revocation[]> {
  const { version } = await tx.user.update({ where: { id: userId }, data: { version: { increment: 1 } }, select: { version: true } })
  return recordRevocation(tx, { kind: 'user', subject: userId, minVersion: version })
}
