import type { Role } from 'countersign-verifier'
import type { Database } from '../database/database.ts'

/** How a session's credential travels. */
export type Channel = 'body' | 'cookie'

/** An account, as logging in needs it. */
export interface LoginAccount {
  id: string
  passwordHash: string | null
  disabledAt: Date | null
}

/** A session about to be opened. Lives are seconds. */
export interface NewSession {
  id: string
  userId: string
  /** The hash that the password was found to match; the session is opened only if it still stands. */
  passwordHash: string
  channel: Channel
  nonce: Buffer
  keyId: string
  ip: string
  userAgent: string | null
  idleTtl: number
  ttl: number
}

/** A session as it stands right after opening, and the account it belongs to. */
export interface OpenedSession {
  userId: string
  email: string
  emailVerified: boolean
  name: string | null
  role: Role
  version: number
  userCreatedAt: Date
  /** The database's clock at the statement, and the session's absolute end: Unix seconds. */
  now: number
  endsAt: number
}

/** The queries of logging in and out. */
export interface SessionStore {
  findAccount (email: string): Promise<LoginAccount | null>
  replacePasswordHash (change: { userId: string, from: string, to: string }): Promise<void>
  /** @returns `undefined` when the account was disabled, deleted or given another password meanwhile */
  open (session: NewSession): Promise<OpenedSession | undefined>
  /** Ends one session, if it is live. */
  end (session: { id: string, nonce?: Buffer }, reason: string): Promise<void>
}

// One statement, one round trip. The row lock makes a login wait for whoever is changing the account, and then look
// again: without it, a login that was hashing while an admin disabled the account would leave a live session.
const OPEN = {
  name: 'sessions.open',
  text: `
    WITH account AS (
      SELECT id, email, email_verified, name, role, version, created_at FROM users
      WHERE id = $2::uuid AND disabled_at IS NULL AND password_hash = $3
      FOR SHARE
    ), opened AS (
      INSERT INTO sessions (id, user_id, channel, nonce, key_id, ip, user_agent, idle_ends_at, ends_at)
      SELECT $1::uuid, id, $4::channel, $5::bytea, $6, $7, $8,
        now() + make_interval(secs => least($9, $10)::float8), now() + make_interval(secs => $10::float8)
      FROM account
      RETURNING ends_at
    )
    SELECT account.id AS "userId", email, email_verified AS "emailVerified", name, role, version, created_at AS "userCreatedAt",
      extract(epoch FROM statement_timestamp())::float8 AS now, extract(epoch FROM ends_at)::float8 AS "endsAt"
    FROM account, opened`
}

const END = {
  name: 'sessions.end',
  text: `
    UPDATE sessions SET ended_at = now(), ended_reason = $3
    WHERE id = $1::uuid AND ended_at IS NULL AND ($2::bytea IS NULL OR nonce = $2)`
}

export function createSessionStore ({ prisma, query }: Pick<Database, 'prisma' | 'query'>): SessionStore {
  return {
    findAccount: email => prisma.user.findUnique({
      where: { email },
      select: { id: true, passwordHash: true, disabledAt: true }
    }),

    async replacePasswordHash ({ userId, from, to }) {
      await prisma.user.updateMany({ where: { id: userId, passwordHash: from }, data: { passwordHash: to } })
    },

    async open ({ id, userId, passwordHash, channel, nonce, keyId, ip, userAgent, idleTtl, ttl }) {
      const [opened] = await query<OpenedSession>(OPEN, [id, userId, passwordHash, channel, nonce, keyId, ip, userAgent, idleTtl, ttl])
      return opened
    },

    async end ({ id, nonce }, reason) {
      await query(END, [id, nonce ?? null, reason])
    }
  }
}
