import { v7 as uuidv7 } from 'uuid'
import type { Revocation } from 'countersign-verifier/internal'
import { auditSql, type AuditEvent } from '../audit/store.ts'
import type { Database, Statement } from '../database/database.ts'
import { MAX_SESSION_ROWS, revocationSql, toRevocation, type LedgerRow } from '../revocation/ledger-writer.ts'
import { isLiveSql } from './session-sql.ts'

/** Who ends a session, and from where. */
export interface EndedBy {
  ip: string
  userAgent: string | null
}

/** The queries of ending sessions: each writes the ledger and the audit trail in the same transaction. */
export interface EndSessionStore {
  /** Ends one session by its id and, where a refresh token named it, its nonce. */
  logOut (session: { id: string, nonce?: Buffer }, by: EndedBy): Promise<Revocation[]>
  /** The same, at the word of another service. */
  revoke (session: { id: string, nonce?: Buffer }, by: EndedBy): Promise<Revocation[]>
  /** Ends a session one of whose refresh tokens was used twice. */
  endReused (id: string, by: EndedBy): Promise<Revocation[]>
  /** Ends one session of a user. @returns `undefined` when the user has no such live session */
  endOwn (session: { id: string, userId: string }, by: EndedBy): Promise<Revocation[] | undefined>
  /** Ends all sessions of a user but one. */
  endOthers (session: { id: string, userId: string }, by: EndedBy): Promise<Revocation[]>
  /** Ends the oldest sessions of a user beyond the newest `kept`. */
  endOldest (user: { id: string, kept: number }, by: EndedBy): Promise<Revocation[]>
}

const REASONS = {
  logout: ['logout', 'success'],
  revoked: ['session_end', 'success'],
  reused: ['refresh', 'reused'],
  ended: ['session_end', 'success'],
  replaced: ['session_end', 'success']
} as const satisfies Record<string, readonly [AuditEvent['action'], AuditEvent['outcome']]>

/**
 * One statement that ends the sessions that `which` selects. Where the user would have more rows in the ledger than are
 * kept, the account's version rises and one row for the user takes the place of them all.
 *
 * The account is locked first, as whoever changes its standing does: two who lock in different orders would wait for each
 * other for ever.
 *
 * Parameters: $1 the event's id, $2 ip, $3 user agent, $4 on are `which`'s own.
 */
function endingStatement (name: string, reason: keyof typeof REASONS, which: string): Statement {
  const [action, outcome] = REASONS[reason]
  // Several rows, one parameter: each event's id is the given one with its last bytes taken from its session's.
  const eventId = 'overlay($1::text placing right(session_id::text, 12) from 25)'
  return {
    name: `sessions.${name}`,
    text: `
      WITH owner AS MATERIALIZED (
        SELECT id FROM users WHERE id IN (SELECT user_id FROM sessions WHERE ${which}) FOR NO KEY UPDATE
      ), ended AS (
        UPDATE sessions SET ended_at = now(), ended_reason = '${reason}' WHERE user_id IN (SELECT id FROM owner) AND ${which}
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
      }, ${auditSql(action, outcome, 'ended', { id: eventId, ip: '$2', userAgent: '$3' })}
      SELECT announced.*, (SELECT count(*)::int FROM ended) AS ended FROM announced`
  }
}

const NAMED_BY_TOKEN = 'id = $4::uuid AND ($5::bytea IS NULL OR nonce = $5) AND ended_at IS NULL'
const LOG_OUT = endingStatement('log-out', 'logout', NAMED_BY_TOKEN)
const REVOKE = endingStatement('revoke', 'revoked', NAMED_BY_TOKEN)
const END_REUSED = endingStatement('end-reused', 'reused', 'id = $4::uuid AND ended_at IS NULL')
const END_OWN = endingStatement('end-own', 'ended', `id = $4::uuid AND user_id = $5::uuid AND ${isLiveSql()}`)
const END_OTHERS = endingStatement('end-others', 'ended', `user_id = $5::uuid AND id <> $4::uuid AND ${isLiveSql()}`)
const END_OLDEST = endingStatement('end-oldest', 'replaced', `id IN (
  SELECT id FROM sessions WHERE user_id = $4::uuid AND ${isLiveSql()} ORDER BY created_at DESC, id DESC OFFSET $5::int
) AND ended_at IS NULL`)

export function createEndSessionStore ({ query }: Pick<Database, 'query'>): EndSessionStore {
  async function end (statement: Statement, { ip, userAgent }: EndedBy, ...values: unknown[]): Promise<Revocation[]> {
    const rows = await query<LedgerRow>(statement, [uuidv7(), ip, userAgent, ...values])
    return rows.flatMap(toRevocation)
  }

  return {
    logOut: ({ id, nonce }, by) => end(LOG_OUT, by, id, nonce ?? null),
    revoke: ({ id, nonce }, by) => end(REVOKE, by, id, nonce ?? null),
    endReused: (id, by) => end(END_REUSED, by, id),
    async endOwn ({ id, userId }, by) {
      const revocations = await end(END_OWN, by, id, userId)
      return revocations.length === 0 ? undefined : revocations
    },
    endOthers: ({ id, userId }, by) => end(END_OTHERS, by, id, userId),
    endOldest: ({ id, kept }, by) => end(END_OLDEST, by, id, kept)
  }
}
