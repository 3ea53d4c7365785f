import type { Role } from 'countersign-verifier'
import type { Database } from '../database/database.ts'
import { isGoodSql } from './session-sql.ts'

/** A stateful session as it can be copied. Times are Unix seconds by the database's clock. */
export interface SessionRecord {
  sessionId: string
  userId: string
  email: string
  emailVerified: boolean
  role: Role
  version: number
  createdAt: number
  /** When it was last written that the session is in use. */
  seenAt: number
  idleEndsAt: number
  endsAt: number
  /** When Postgres last confirmed all this. */
  confirmedAt: number
}

/** The queries of stateful sessions. */
export interface StatefulSessionStore {
  /** The live session of a secret. */
  find (secretHash: Buffer): Promise<SessionRecord | undefined>
  /** Writes that a live session is in use, and gives it as it then stands. @param idleTtl seconds */
  touch (secretHash: Buffer, idleTtl: number): Promise<SessionRecord | undefined>
}

const COLUMNS = `
  s.id AS "sessionId", u.id AS "userId", u.email, u.email_verified AS "emailVerified", u.role::text AS role, u.version,
  extract(epoch FROM s.created_at)::float8 AS "createdAt", extract(epoch FROM s.last_seen_at)::float8 AS "seenAt",
  extract(epoch FROM s.idle_ends_at)::float8 AS "idleEndsAt", extract(epoch FROM s.ends_at)::float8 AS "endsAt",
  extract(epoch FROM statement_timestamp())::float8 AS "confirmedAt"`

const IS_ITS = `s.secret_hash = $1::bytea AND s.channel = 'session' AND u.id = s.user_id AND ${isGoodSql('s', 'u')}`

const FIND = {
  name: 'sessions.find-stateful',
  text: `SELECT ${COLUMNS} FROM sessions s, users u WHERE ${IS_ITS}`
}

const TOUCH = {
  name: 'sessions.touch',
  text: `
    UPDATE sessions s SET last_seen_at = now(), idle_ends_at = least(now() + make_interval(secs => $2::float8), s.ends_at)
    FROM users u WHERE ${IS_ITS} RETURNING ${COLUMNS}`
}

export function createStatefulSessionStore ({ query }: Pick<Database, 'query'>): StatefulSessionStore {
  return {
    async find (secretHash) {
      const [record] = await query<SessionRecord>(FIND, [secretHash])
      return record
    },
    async touch (secretHash, idleTtl) {
      const [record] = await query<SessionRecord>(TOUCH, [secretHash, idleTtl])
      return record
    }
  }
}
