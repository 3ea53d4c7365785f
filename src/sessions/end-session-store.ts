import { v7 as uuidv7 } from 'uuid'
import type { Revocation } from 'countersign-verifier/internal'
import { auditSql, type AuditEvent } from '../audit/store.ts'
import type { Database, DbTransaction, Statement } from '../database/database.ts'
import { statement } from '../database/statement.ts'
import type { ClientInfo } from '../http/client-info.ts'
import { MAX_SESSION_ROWS, recordRevocation, revocationSql, toRevocation, type LedgerRow } from '../revocation/ledger-writer.ts'
import { isLiveSql } from './session-sql.ts'

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
 * The account is locked first, as by every change of its role or status: a different order of locks could deadlock.
 */
function endSessionStatement (name: string, reason: keyof typeof REASONS, where: string): Statement {
  const [action, outcome] = REASONS[reason]
  // One parameter for several rows: each event's id is the given one, its last bytes replaced by those of the session's.
  const eventId = 'overlay(:eventId::text placing right(session_id::text, 12) from 25)'
  return statement(`sessions.${name}`, `
    WITH owner AS MATERIALIZED (
      SELECT id FROM users WHERE id IN (SELECT user_id FROM sessions WHERE ${where}) FOR NO KEY UPDATE
    ), ended AS (
      UPDATE sessions SET ended_at = now(), ended_reason = '${reason}' WHERE user_id IN (SELECT id FROM owner) AND ${where}
      RETURNING id AS session_id, user_id
    ), crowded AS (
      SELECT user_id FROM ended GROUP BY user_id
      HAVING count(*) + (SELECT count(*) FROM revocations r WHERE r.user_id = ended.user_id AND r.kind = 'session' AND r.expires_at > now()) > ${MAX_SESSION_ROWS}
    ), raised AS (
      UPDATE users SET version = version + 1 FROM crowded WHERE users.id = crowded.user_id
      RETURNING users.id, users.version
    ), collapsed AS (
      DELETE FROM revocations USING raised WHERE revocations.user_id = raised.id AND revocations.kind = 'session'
    ), ${revocationSql(`
      SELECT 'session' AS kind, session_id::text AS subject, user_id, NULL::int AS min_version FROM ended WHERE user_id NOT IN (SELECT id FROM raised)
      UNION ALL
      SELECT 'user', id::text, NULL, version FROM raised`)
    }, ${auditSql(action, outcome, 'ended', { id: eventId })}
    SELECT announced.*, (SELECT count(*)::int FROM ended) AS ended FROM announced`)
}

const BY_TOKEN = 'id = :id::uuid AND (:nonce::bytea IS NULL OR nonce = :nonce) AND ended_at IS NULL'
const LOG_OUT = endSessionStatement('log-out', 'logout', BY_TOKEN)
const REVOKE = endSessionStatement('revoke', 'revoked', BY_TOKEN)
const END_REUSED = endSessionStatement('end-reused', 'reused', 'id = :id::uuid AND ended_at IS NULL')
const END_OWN = endSessionStatement('end-own', 'ended', `id = :id::uuid AND user_id = :userId::uuid AND ${isLiveSql()}`)
const END_OTHERS = endSessionStatement('end-others', 'ended', `user_id = :userId::uuid AND id <> :id::uuid AND ${isLiveSql()}`)
const END_OLDEST = endSessionStatement('end-oldest', 'replaced', `id IN (
  SELECT id FROM sessions WHERE user_id = :userId::uuid AND ${isLiveSql()} ORDER BY created_at DESC, id DESC OFFSET :kept::int
) AND ended_at IS NULL`)

/** The queries of ending sessions. Each writes the ledger and the audit trail too, and returns what to apply to this instance. */
export function createEndSessionStore ({ query }: Pick<Database, 'query'>) {
  async function end (statement: Statement, values: Readonly<Record<string, unknown>>, { ip, userAgent }: ClientInfo): Promise<Revocation[]> {
    const rows = await query<LedgerRow>(statement, { ...values, eventId: uuidv7(), ip, userAgent })
    return rows.flatMap(toRevocation)
  }

  return {
    /** Ends one session by its id and, where a refresh token named it, its nonce. */
    logOut: ({ id, nonce = null }: { id: string, nonce?: Buffer | null }, client: ClientInfo) => end(LOG_OUT, { id, nonce }, client),

    /** Ends one session at the request of another service. */
    revoke: ({ id, nonce = null }: { id: string, nonce?: Buffer | null }, client: ClientInfo) => end(REVOKE, { id, nonce }, client),

    /** Ends a session whose refresh token was reused. */
    endReused: (id: string, client: ClientInfo) => end(END_REUSED, { id }, client),

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

/** Raises an account's version within a transaction, which revokes every token that was issued before. */
export async function raiseVersion (tx: DbTransaction, userId: string): Promise<Revocation[]> {
  const { version } = await tx.user.update({ where: { id: userId }, data: { version: { increment: 1 } }, select: { version: true } })
  return recordRevocation(tx, { kind: 'user', subject: userId, minVersion: version })
}
