import { v7 as uuidv7 } from 'uuid'
import { auditSql } from '../audit/store.ts'
import type { Database } from '../database/database.ts'
import { statement } from '../database/statement.ts'
import { isLiveSql, secondsSql, sessionAccountSql, type SessionAccount } from './session-sql.ts'

/** How a session's credential travels. */
export type Channel = 'body' | 'cookie' | 'session'

/** An account, as login needs it. */
export interface LoginAccount {
  id: string
  passwordHash: string | null
  disabledAt: Date | null
}

/** What the user proved. The session is opened only if it still holds then. */
export type LoginProof =
  /** A password that matches this hash. */
  | { passwordHash: string }
  /** An identity at a provider, linked to the account. */
  | { identityId: string }

/** A session to be stored. Lifetimes are seconds. */
export interface NewSession {
  id: string
  channel: Channel
  nonce: Buffer
  /** SHA-256 of a stateful session's secret. */
  secretHash: Buffer | null
  keyId: string
  ip: string
  userAgent: string | null
  idleTtl: number
  ttl: number
}

/** A session that was just stored. */
export interface StoredSession extends SessionAccount {
  createdAt: number
  idleEndsAt: number
  /** How many other live sessions the user has. */
  others: number
}

export type OpenSessionStore = ReturnType<typeof createOpenSessionStore>

const FIND_ACCOUNT = statement('sessions.find-account', 'SELECT id, password_hash AS "passwordHash", disabled_at AS "disabledAt" FROM users WHERE email = :email')

/**
 * SQL: one statement that opens a session of the account that `account` selects or inserts.
 *
 * @param account a SELECT or an INSERT that returns `ACCOUNT_COLUMNS`
 * @param also more common table expressions, which may read from `stored`
 * @param detail the detail of the audit event, an expression
 */
export function openSessionSql (account: string, also: readonly string[] = [], detail = 'NULL'): string {
  return `
    WITH account AS (${account}), stored AS (
      INSERT INTO sessions (id, user_id, channel, nonce, secret_hash, key_id, ip, user_agent, idle_ends_at, ends_at)
      SELECT :sessionId::uuid, id, :channel::channel, :nonce::bytea, :secretHash::bytea, :keyId, :ip, :userAgent,
        now() + make_interval(secs => least(:idleTtl::float8, :ttl::float8)), now() + make_interval(secs => :ttl::float8)
      FROM account
      RETURNING id AS session_id, user_id, created_at, idle_ends_at, ends_at
    ), ${[auditSql('login', 'success', 'stored', { id: ':loginEventId', detail }), ...also].join(', ')}
    SELECT ${sessionAccountSql('account', 'stored')}, ${secondsSql('stored.created_at')} AS "createdAt", ${secondsSql('stored.idle_ends_at')} AS "idleEndsAt",
      (SELECT count(*)::int FROM sessions WHERE user_id = account.id AND ${isLiveSql()}) AS others
    FROM account, stored`
}

/** The values of the parameters of `openSessionSql`. */
export function openSessionValues ({ id, ...session }: NewSession) {
  return { ...session, sessionId: id, loginEventId: uuidv7() }
}

/** SQL: the columns of an account that `openSessionSql` needs. */
export const ACCOUNT_COLUMNS = 'users.id, users.email, users.email_verified, users.name, users.role, users.version, users.created_at'

// FOR SHARE makes a login wait for a change of the account, and then check again: otherwise a login that was hashing while
// an admin disabled the account would leave a live session.
const OPEN_BY_PASSWORD = statement('sessions.open', openSessionSql(`
  SELECT ${ACCOUNT_COLUMNS} FROM users WHERE id = :userId::uuid AND disabled_at IS NULL AND password_hash = :passwordHash FOR SHARE`))

const OPEN_BY_IDENTITY = statement('sessions.open-by-identity', openSessionSql(`
  SELECT ${ACCOUNT_COLUMNS}, identities.provider FROM users JOIN identities ON identities.user_id = users.id
  WHERE users.id = :userId::uuid AND users.disabled_at IS NULL AND identities.id = :identityId::uuid FOR SHARE`,
[], "(SELECT jsonb_build_object('provider', provider) FROM account)"))

/** The queries of a login. */
export function createOpenSessionStore ({ prisma, query }: Pick<Database, 'prisma' | 'query'>) {
  return {
    async findAccount (email: string): Promise<LoginAccount | null> {
      const [account] = await query<LoginAccount>(FIND_ACCOUNT, { email })
      return account ?? null
    },

    /** @returns whether the hash was still `from` */
    async replacePasswordHash ({ userId, from, to }: { userId: string, from: string, to: string }): Promise<boolean> {
      const { count } = await prisma.user.updateMany({ where: { id: userId, passwordHash: from }, data: { passwordHash: to } })
      return count === 1
    },

    /** @returns `undefined` when the account was disabled or deleted meanwhile, or the proof no longer holds */
    async insert (session: NewSession, { id: userId, ...proof }: { id: string } & LoginProof): Promise<StoredSession | undefined> {
      const open = 'passwordHash' in proof ? OPEN_BY_PASSWORD : OPEN_BY_IDENTITY
      const [stored] = await query<StoredSession>(open, { ...openSessionValues(session), userId, ...proof })
      return stored
    }
  }
}
