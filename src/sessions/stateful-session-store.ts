import type { Role } from 'countersign-verifier'
import type { Database } from '../database/database.ts'
import { statement } from '../database/statement.ts'
import { idleEndSql, isGoodSql, secondsSql } from './session-sql.ts'

/** A stateful session as it is cached. Times are Unix seconds by the database's clock. */
export interface SessionRecord {
  sessionId: string
  userId: string
  email: string
  emailVerified: boolean
  role: Role
  version: number
  createdAt: number
  /** When it was last stored that the session is in use. */
  seenAt: number
  idleEndsAt: number
  endsAt: number
  /** When this was read from Postgres. */
  confirmedAt: number
}

export type StatefulSessionStore = ReturnType<typeof createStatefulSessionStore>

const COLUMNS = `
  s.id AS "sessionId", u.id AS "userId", u.email, u.email_verified AS "emailVerified", u.role::text AS role, u.version,
  ${secondsSql('s.created_at')} AS "createdAt", ${secondsSql('s.last_seen_at')} AS "seenAt",
  ${secondsSql('s.idle_ends_at')} AS "idleEndsAt", ${secondsSql('s.ends_at')} AS "endsAt",
  ${secondsSql('statement_timestamp()')} AS "confirmedAt"`

const BY_SECRET = `s.secret_hash = :secretHash::bytea AND s.channel = 'session' AND u.id = s.user_id AND ${isGoodSql('s', 'u')}`

const FIND = statement('sessions.find-stateful', `SELECT ${COLUMNS} FROM sessions s, users u WHERE ${BY_SECRET}`)

const TOUCH = statement('sessions.touch', `
  UPDATE sessions s SET last_seen_at = now(), idle_ends_at = ${idleEndSql('s.ends_at')}
  FROM users u WHERE ${BY_SECRET} RETURNING ${COLUMNS}`)

export function createStatefulSessionStore ({ query }: Pick<Database, 'query'>) {
  return {
    /** Finds the live session of a secret. */
    async find (secretHash: Buffer): Promise<SessionRecord | undefined> {
      const [record] = await query<SessionRecord>(FIND, { secretHash })
      return record
    },

    /** Stores that a live session is in use. @param idleTtl seconds */
    async touch (secretHash: Buffer, idleTtl: number): Promise<SessionRecord | undefined> {
      const [record] = await query<SessionRecord>(TOUCH, { secretHash, idleTtl })
      return record
    }
  }
}
