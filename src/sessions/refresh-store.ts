import type { Database } from '../database/database.ts'
import { statement } from '../database/statement.ts'
import type { ClientInfo } from '../http/client-info.ts'
import { isGoodSql, secondsSql, sessionAccountSql, type SessionAccount } from './session-sql.ts'
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
  /** Seconds. */
  idleTtl: number
}

/** The state of a session, by which a repeated request is told from theft. */
export interface SessionState extends SessionAccount {
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

export type RefreshStore = ReturnType<typeof createRefreshStore>

// One conditional statement: of any number of requests with one token, one rotates. Role, version and whether the account
// is enabled come from one row version of the user. The idle end, an indexed column, moves only after a tenth of the idle
// lifetime: an update that changes no indexed column writes to no index.
const ROTATE = statement('sessions.rotate', `
  UPDATE sessions s SET generation = s.generation + 1, rotated_at = now(), attempt_hash = :idempotencyKeyHash, key_id = :keyId, ip = :ip, user_agent = :userAgent, last_seen_at = now(),
    idle_ends_at = CASE
      WHEN s.idle_ends_at BETWEEN least(now() + make_interval(secs => 0.9 * :idleTtl::float8), s.ends_at) AND least(now() + make_interval(secs => :idleTtl::float8), s.ends_at)
      THEN s.idle_ends_at ELSE least(now() + make_interval(secs => :idleTtl::float8), s.ends_at) END
  FROM users u
  WHERE s.id = :sessionId::uuid AND s.generation = :generation::int AND s.nonce = :nonce::bytea AND s.channel = :channel::channel AND u.id = s.user_id AND ${isGoodSql('s', 'u')}
  RETURNING ${sessionAccountSql('u', 's')}`)

const FIND = statement('sessions.find-for-refresh', `
  SELECT ${sessionAccountSql('u', 's')}, s.generation, s.channel::text AS channel, s.ip, s.user_agent AS "userAgent", ${secondsSql('now() - s.rotated_at')} AS "rotatedAgo",
    coalesce(s.attempt_hash = :idempotencyKeyHash::bytea, false) AS "isSameKey", (${isGoodSql('s', 'u')}) AS "isLive"
  FROM sessions s JOIN users u ON u.id = s.user_id
  WHERE s.id = :sessionId::uuid AND s.nonce = :nonce::bytea`)

export function createRefreshStore ({ query }: Pick<Database, 'query'>) {
  return {
    /** Advances a live session by one generation, if the token is of the present one. */
    async rotate ({ client: { ip, userAgent }, ...rotation }: Rotation): Promise<SessionAccount | undefined> {
      const [rotated] = await query<SessionAccount>(ROTATE, { ...rotation, ip, userAgent })
      return rotated
    },

    /** Finds the session of a token, live or not. */
    async find ({ sessionId, nonce, idempotencyKeyHash }: Rotation): Promise<SessionState | undefined> {
      const [state] = await query<SessionState>(FIND, { sessionId, nonce, idempotencyKeyHash })
      return state
    }
  }
}
