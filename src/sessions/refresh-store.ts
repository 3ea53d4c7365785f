import type { Database } from '../database/database.ts'
import { statement, type Statement } from '../database/statement.ts'
import type { ClientInfo } from '../http/client-info.ts'
import type { LimitInRow } from '../limits/limit-in-row.ts'
import { idleEndSql, isGoodSql, readSessionAccount, secondsSql, sessionAccountJsonSql, sessionAccountSql, type SessionAccount, type SessionAccountJson } from './session-sql.ts'
import type { Channel } from './open-session-store.ts'

/** The rotation of a refresh token, and what the session's row must agree with. */
export interface Rotation {
  sessionId: string
  generation: number
  nonce: Buffer
  channel: Channel
  /** SHA-256 of the request's Idempotency-Key. */
  idempotencyKeyHash: Buffer | null
  /** The key of the ring that the successor is signed with. */
  keyId: string
  /** Stored, to recognize a repeat from elsewhere. */
  client: ClientInfo
  /** A MAC of the client's network, by which it is known from then on. */
  networkTag: string | null
  /** Seconds. */
  idleTtl: number
}

/** A session, and how often it was refreshed. */
export interface RefreshedSession extends SessionAccount {
  /** Seconds since 1970, in order. */
  refreshes: number[]
}

/** The state of a session, by which a repeated request is told from theft. */
export interface SessionState extends RefreshedSession {
  generation: number
  /** Seconds since the last rotation. */
  rotatedAgo: number | null
  /** Whether the last rotation had the Idempotency-Key of this request. */
  isSameKey: boolean
  isLive: boolean
  channel: Channel
  /** Where the last rotation came from. */
  ip: string | null
  userAgent: string | null
}

/** How many rotations a failover may have lost before a token counts as one of another past. */
export const MAX_LOST = 2

export type RefreshStore = ReturnType<typeof createRefreshStore>

type RefreshLimit = Pick<LimitInRow, 'values' | 'isWithinSql' | 'countedSql'>

function compileStatements ({ isWithinSql, countedSql }: RefreshLimit) {
  const state = `${sessionAccountSql('u', 's')}, s.refreshes, s.generation, s.channel::text AS channel, s.ip, s.user_agent AS "userAgent", ${secondsSql('now() - s.rotated_at')} AS "rotatedAgo",
    coalesce(s.attempt_hash = :idempotencyKeyHash::bytea, false) AS "isSameKey", (${isGoodSql('s', 'u')}) AS "isLive"`

  return {
    rotate: statement('sessions.rotate', rotateSql(`s.generation = :generation::int AND ${isWithinSql('s.refreshes')}`, countedSql('s.refreshes'))),

    // A failover may have lost the last rotations: the token's MAC says that this service issued it. It is used up as if they were there.
    // Nor may one be refused that the limit had no room for, and then counted. The request was counted when its session was found.
    rotateCounted: statement('sessions.rotate-counted', rotateSql(`s.generation BETWEEN :generation::int - ${MAX_LOST} AND :generation::int`, 's.refreshes')),

    count: statement('sessions.count-refresh', `
      UPDATE sessions s SET refreshes = ${countedSql('s.refreshes')}
      FROM users u
      WHERE s.id = :sessionId::uuid AND s.nonce = :nonce::bytea AND u.id = s.user_id AND ${isWithinSql('s.refreshes')}
      RETURNING ${state}`),

    find: statement('sessions.find-for-refresh', `
      SELECT ${state}
      FROM sessions s JOIN users u ON u.id = s.user_id
      WHERE s.id = :sessionId::uuid AND s.nonce = :nonce::bytea`)
  }
}

// One conditional statement: of any number of requests with one token, one rotates. Role, version and whether the account
// is enabled come from one row version of the user. The idle end, an indexed column, moves only after a tenth of the idle
// lifetime: an update that changes no indexed column writes to no index.
function rotateSql (agrees: string, refreshes: string): string {
  return `
  UPDATE sessions s SET generation = :generation::int + 1, rotated_at = now(), attempt_hash = :idempotencyKeyHash, key_id = :keyId, ip = :ip, network = :networkTag, user_agent = :userAgent, last_seen_at = now(), refreshes = ${refreshes},
    idle_ends_at = CASE
      WHEN s.idle_ends_at BETWEEN least(now() + make_interval(secs => :idleTtl::float8), s.ends_at) AND ${idleEndSql('s.ends_at')}
      THEN s.idle_ends_at ELSE ${idleEndSql('s.ends_at')} END
  FROM users u
  WHERE s.id = :sessionId::uuid AND ${agrees} AND s.nonce = :nonce::bytea AND s.channel = :channel::channel AND u.id = s.user_id AND ${isGoodSql('s', 'u')}
  RETURNING ${sessionAccountJsonSql('u', 's', { refreshes: 's.refreshes' })} AS session`
}

/** @param limit counts the refreshes of a session in its row */
export function createRefreshStore ({ query }: Pick<Database, 'query'>, limit: RefreshLimit) {
  const { values } = limit
  const statements = compileStatements(limit)

  async function rotate (statement: Statement, rotation: Rotation): Promise<RefreshedSession | undefined> {
    const { sessionId, generation, nonce, channel, idempotencyKeyHash, keyId, networkTag, idleTtl, client: { ip, userAgent } } = rotation
    const [rotated] = await query<{ session: SessionAccountJson & Pick<RefreshedSession, 'refreshes'> }>(
      statement, { sessionId, generation, nonce, channel, idempotencyKeyHash, keyId, networkTag, idleTtl, ip, userAgent, ...values })
    return rotated && readSessionAccount(rotated.session)
  }

  async function find (statement: Statement, { sessionId, nonce, idempotencyKeyHash }: Rotation): Promise<SessionState | undefined> {
    const [state] = await query<SessionState>(statement, { sessionId, nonce, idempotencyKeyHash, ...values })
    return state
  }

  return {
    /** Advances a live session by one generation, if the token is of the present one, and the limit has room. */
    rotate: (rotation: Rotation) => rotate(statements.rotate, rotation),

    /** Advances a live session that was counted already, and whose row may be up to two generations behind the token, to the one after it. */
    rotateCounted: (rotation: Rotation) => rotate(statements.rotateCounted, rotation),

    /** Finds the session of a token, live or not, and counts a refresh that did not rotate; `undefined` too where the limit has no room. */
    count: (rotation: Rotation) => find(statements.count, rotation),

    /** Finds the session of a token, live or not. */
    find: (rotation: Rotation) => find(statements.find, rotation)
  }
}
