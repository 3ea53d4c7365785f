import type { Database } from '../database/database.ts'
import type { ClientInfo } from '../http/client-info.ts'
import { isGoodSql } from './session-sql.ts'
import { accountColumns, type Channel, type SessionAccount } from './open-session-store.ts'

/** Which session is to be rotated, and what its row has to agree with. */
export interface Rotation {
  sessionId: string
  generation: number
  nonce: Buffer
  channel: Channel
  /** SHA-256 of the request's Idempotency-Key. */
  attemptHash: Buffer | null
  /** The key of the ring that the successor is written with. */
  keyId: string
  /** Where the request comes from: a repeat from elsewhere is told by it. */
  client: ClientInfo
  /** Seconds. */
  idleTtl: number
}

/** A session as it stands, for telling a repeated answer from theft. */
export interface SessionState extends SessionAccount {
  generation: number
  /** Seconds since the last rotation. */
  rotatedAgo: number | null
  /** Whether the last rotation was made under the Idempotency-Key of this request. */
  isSameAttempt: boolean
  isLive: boolean
  channel: Channel
  /** Where the last rotation came from. */
  ip: string | null
  userAgent: string | null
}

/** The queries of refreshing. */
export interface RefreshStore {
  /** Moves a live session on by one generation, if the token is of the present one. */
  rotate (rotation: Rotation): Promise<SessionAccount | undefined>
  /** The session that a token belongs to, whatever its state. */
  find (rotation: Rotation): Promise<SessionState | undefined>
}

// One conditional statement: of any number of requests with one token, one moves the session on. Role, version and
// whether the account is enabled come from one row version of the user. The idle end, an indexed column, moves only when
// a tenth of the idle life has passed: a row whose indexed columns stay is written without touching any index.
const ROTATE = {
  name: 'sessions.rotate',
  text: `
    UPDATE sessions s SET generation = s.generation + 1, rotated_at = now(), attempt_hash = $5, key_id = $6, ip = $8, user_agent = $9, last_seen_at = now(),
      idle_ends_at = CASE
        WHEN s.idle_ends_at BETWEEN least(now() + make_interval(secs => 0.9 * $7::float8), s.ends_at) AND least(now() + make_interval(secs => $7::float8), s.ends_at)
        THEN s.idle_ends_at ELSE least(now() + make_interval(secs => $7::float8), s.ends_at) END
    FROM users u
    WHERE s.id = $1::uuid AND s.generation = $2::int AND s.nonce = $3::bytea AND s.channel = $4::channel AND u.id = s.user_id AND ${isGoodSql('s', 'u')}
    RETURNING ${accountColumns('u')}, extract(epoch FROM s.ends_at)::float8 AS "endsAt"`
}

const FIND = {
  name: 'sessions.find-for-refresh',
  text: `
    SELECT ${accountColumns('u')}, extract(epoch FROM s.ends_at)::float8 AS "endsAt", s.generation, s.channel::text AS channel, s.ip, s.user_agent AS "userAgent",
      extract(epoch FROM now() - s.rotated_at)::float8 AS "rotatedAgo",
      coalesce(s.attempt_hash = $3::bytea, false) AS "isSameAttempt", (${isGoodSql('s', 'u')}) AS "isLive"
    FROM sessions s JOIN users u ON u.id = s.user_id
    WHERE s.id = $1::uuid AND s.nonce = $2::bytea`
}

export function createRefreshStore ({ query }: Pick<Database, 'query'>): RefreshStore {
  return {
    async rotate ({ sessionId, generation, nonce, channel, attemptHash, keyId, idleTtl, client: { ip, userAgent } }) {
      const [rotated] = await query<SessionAccount>(ROTATE, [sessionId, generation, nonce, channel, attemptHash, keyId, idleTtl, ip, userAgent])
      return rotated
    },

    async find ({ sessionId, nonce, attemptHash }) {
      const [state] = await query<SessionState>(FIND, [sessionId, nonce, attemptHash])
      return state
    }
  }
}
