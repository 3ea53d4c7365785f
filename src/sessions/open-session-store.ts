import { v7 as uuidv7 } from 'uuid'
import { auditSql } from '../audit/store.ts'
import type { Database } from '../database/database.ts'
import { statement } from '../database/statement.ts'
import { clearGuardSql } from '../limits/login-guard-store.ts'
import { settleAttemptsSql } from '../limits/postgres-attempts-store.ts'
import { NO_MESSAGE, outboxSql, outboxValues, type OutboxRow } from '../outbox/enqueue.ts'
import { respellFormer } from './former-spelling-store.ts'
import { idleEndSql, isLiveSql, secondsSql, sessionAccountSql, type SessionAccount } from './session-sql.ts'

/** How a session's credential travels. */
export type Channel = 'body' | 'cookie' | 'session'

/** An account, as login needs it. */
export interface LoginAccount {
  id: string
  passwordHash: string | null
  emailVerified: boolean
  disabledAt: Date | null
  deletionDueAt: Date | null
}

/** What the user proved. The session is opened only if it still holds then. */
export type LoginProof =
  /** A password that matches this hash, and what its attempt is to take back. */
  | { passwordHash: string, settlement?: LoginSettlement | undefined }
  /** An identity at a provider, linked to the account. */
  | { identityId: string }

/** What a success undoes of its attempt, in the statement that opens the session: parameters of the limits' SQL. */
export interface LoginSettlement {
  forgottenKey: string | null
  returnedKey: string | null
  returnedStamp: number | null
  guardSubject: string | null
  guardPart: string | null
}

/** A session to be stored. Lifetimes are seconds. */
export interface NewSession {
  id: string
  channel: Channel
  nonce: Buffer
  /** SHA-256 of a stateful session's secret. */
  secretHash: Buffer | null
  keyId: string
  ip: string | null
  userAgent: string | null
  /** A MAC of the client's network, by which it is known from then on. */
  networkTag: string | null
  idleTtl: number
  ttl: number
}

/** A session that was just stored. */
export interface StoredSession extends SessionAccount {
  createdAt: number
  idleEndsAt: number
  /** How many other live sessions the user has. */
  others: number
  /** Whether its owner is told of a new device. */
  isNoticed?: boolean
}

export type OpenSessionStore = ReturnType<typeof createOpenSessionStore>

const FIND_ACCOUNT = statement('sessions.find-account', 'SELECT id, password_hash AS "passwordHash", email_verified AS "emailVerified", disabled_at AS "disabledAt", deletion_due_at AS "deletionDueAt" FROM users WHERE email = :email')

/**
 * SQL: one statement that opens a session of the account that `account` selects or inserts, unless it is to be deleted.
 *
 * @param account a SELECT or an INSERT that returns `ACCOUNT_COLUMNS`
 * @param also more common table expressions, which may read from `stored`
 * @param detail the detail of the audit event, an expression
 * @param columns more columns of the result
 */
export function openSessionSql (account: string, also: readonly string[] = [], detail = 'NULL', columns: readonly string[] = []): string {
  return `
    WITH account AS (${account}), stored AS (
      INSERT INTO sessions (id, user_id, channel, nonce, secret_hash, key_id, ip, user_agent, network, idle_ends_at, ends_at)
      SELECT :sessionId::uuid, id, :channel::channel, :nonce::bytea, :secretHash::bytea, :keyId, :ip, :userAgent, :networkTag,
        ${idleEndSql('now() + make_interval(secs => :ttl::float8)')}, now() + make_interval(secs => :ttl::float8)
      FROM account WHERE account.deletion_due_at IS NULL
      RETURNING id AS session_id, user_id, created_at, idle_ends_at, ends_at
    ), ${[auditSql('login', 'success', 'stored', { id: ':loginEventId', detail }), ...also].join(', ')}
    SELECT ${sessionAccountSql('account', 'stored')}, ${secondsSql('stored.created_at')} AS "createdAt", ${secondsSql('stored.idle_ends_at')} AS "idleEndsAt",
      (SELECT count(*)::int FROM sessions WHERE user_id = account.id AND ${isLiveSql()}) AS others${columns.map(column => `, ${column}`).join('')}
    FROM account, stored`
}

/** The values of the parameters of `openSessionSql`. */
export function openSessionValues ({ id, ...session }: NewSession) {
  return { ...session, sessionId: id, loginEventId: uuidv7() }
}

/** SQL: the columns of an account that `openSessionSql` needs. */
export const ACCOUNT_COLUMNS = 'users.id, users.email, users.email_verified, users.name, users.role, users.version, users.created_at, users.deletion_due_at'

// FOR SHARE makes a login wait for a change of the account, and then check again: otherwise a login that was hashing while
// an admin disabled the account would leave a live session.
const BY_PASSWORD = `
  SELECT ${ACCOUNT_COLUMNS} FROM users WHERE id = :userId::uuid AND disabled_at IS NULL AND password_hash = :passwordHash FOR SHARE`

// A device is new to an account that has logged in before, but never from this network or address. Where no address is known,
// nothing can be told. The new session and its event do not count: a statement does not see what it writes.
// OFFSET 0 keeps a plan from combining the events of the account with those of all logins.
const LOGINS = "SELECT FROM (SELECT * FROM audit_events WHERE subject_id = stored.user_id OFFSET 0) AS event WHERE action = 'login' AND outcome = 'success'"
/** SQL: for `openSessionSql`, common table expressions that store the notice of a new device; its parameters come from `outboxValues(…, 'notice')`. */
export const NOTICE = [`
    surprised AS (
      SELECT user_id FROM stored
      WHERE :ip::text IS NOT NULL
        AND NOT EXISTS (SELECT FROM sessions WHERE user_id = stored.user_id AND network = :networkTag::text)
        AND (EXISTS (SELECT FROM sessions WHERE user_id = stored.user_id) OR EXISTS (${LOGINS}))
        AND NOT EXISTS (${LOGINS} AND ip = :ip)
    )`, outboxSql('surprised', 'notice')]
/** SQL: for `openSessionSql` with `NOTICE`, the column `isNoticed`. */
export const IS_NOTICED = ['EXISTS (SELECT FROM notice_queued) AS "isNoticed"']

const OPEN_BY_PASSWORD = statement('sessions.open', openSessionSql(BY_PASSWORD, NOTICE, 'NULL', IS_NOTICED))
const OPEN_AND_SETTLE = statement('sessions.open-and-settle', openSessionSql(BY_PASSWORD, [...settleAttemptsSql('stored'), ...clearGuardSql('stored'), ...NOTICE], 'NULL', IS_NOTICED))

const OPEN_BY_IDENTITY = statement('sessions.open-by-identity', openSessionSql(`
  SELECT ${ACCOUNT_COLUMNS}, identities.provider FROM users JOIN identities ON identities.user_id = users.id
  WHERE users.id = :userId::uuid AND users.disabled_at IS NULL AND identities.id = :identityId::uuid FOR SHARE`,
NOTICE, "(SELECT jsonb_build_object('provider', provider) FROM account)", IS_NOTICED))

/** The queries of a login. */
export function createOpenSessionStore ({ prisma, query }: Pick<Database, 'prisma' | 'query'>) {
  return {
    /** To be called before an account is looked up by its address. */
    respellFormer: (email: string) => respellFormer({ query }, email),

    async findAccount (email: string): Promise<LoginAccount | null> {
      await respellFormer({ query }, email)
      const [account] = await query<LoginAccount>(FIND_ACCOUNT, { email })
      return account ?? null
    },

    /** @returns whether the hash was still `from` */
    async replacePasswordHash ({ userId, from, to }: { userId: string, from: string, to: string }): Promise<boolean> {
      const { count } = await prisma.user.updateMany({ where: { id: userId, passwordHash: from }, data: { passwordHash: to } })
      return count === 1
    },

    /**
     * @param notice to the owner, stored where the device is new
     * @returns `undefined` when the account was disabled or deleted meanwhile, or the proof no longer holds
     */
    async insert (session: NewSession, { id: userId, ...proof }: { id: string } & LoginProof, notice: OutboxRow = NO_MESSAGE): Promise<StoredSession | undefined> {
      const settlement = 'settlement' in proof ? proof.settlement : undefined
      const open = 'identityId' in proof ? OPEN_BY_IDENTITY : settlement === undefined ? OPEN_BY_PASSWORD : OPEN_AND_SETTLE
      const [stored] = await query<StoredSession>(open, { ...openSessionValues(session), userId, ...proof, ...settlement, ...outboxValues(notice, 'notice') })
      return stored
    }
  }
}
