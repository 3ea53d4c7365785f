import { v7 as uuidv7 } from 'uuid'
import type { Role } from 'countersign-verifier'
import { auditSql } from '../audit/store.ts'
import type { Database } from '../database/database.ts'
import { isLiveSql } from './session-sql.ts'

/** How a session's credential travels. */
export type Channel = 'body' | 'cookie' | 'session'

/** An account, as logging in needs it. */
export interface LoginAccount {
  id: string
  passwordHash: string | null
  disabledAt: Date | null
}

/** What somebody proved: the session is opened only if it still stands. */
export type LoginProof =
  /** A password, found to match this hash. */
  | { passwordHash: string }
  /** An identity at a provider, linked to the account. */
  | { identityId: string }

/** A session about to be opened. Lives are seconds. */
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

/** The account of a session, from one row version, and the session's bounds. Times are Unix seconds by the database's clock. */
export interface SessionAccount {
  userId: string
  email: string
  emailVerified: boolean
  name: string | null
  role: Role
  version: number
  userCreatedAt: Date
  now: number
  endsAt: number
}

/** A session as it stands right after opening. */
export interface OpenedSession extends SessionAccount {
  openedAt: number
  idleEndsAt: number
  /** How many live sessions the user had before. */
  others: number
}

/** The queries of logging in. */
export interface OpenSessionStore {
  findAccount (email: string): Promise<LoginAccount | null>
  /** @returns whether `from` still stood */
  replacePasswordHash (change: { userId: string, from: string, to: string }): Promise<boolean>
  /** @returns `undefined` when the account was disabled, deleted, given another password or lost the identity meanwhile */
  open (session: NewSession, account: { id: string } & LoginProof): Promise<OpenedSession | undefined>
}

/** SQL: the columns of `SessionAccount` but for `endsAt`, from a table with the account's. */
export const accountColumns = (table: string) => `
  ${table}.id AS "userId", ${table}.email, ${table}.email_verified AS "emailVerified", ${table}.name, ${table}.role::text AS role,
  ${table}.version, ${table}.created_at AS "userCreatedAt", extract(epoch FROM statement_timestamp())::float8 AS now`

const FIND_ACCOUNT = {
  name: 'sessions.find-account',
  text: 'SELECT id, password_hash AS "passwordHash", disabled_at AS "disabledAt" FROM users WHERE email = $1'
}

/**
 * One statement, one round trip, that opens a session of the account that `account` gives.
 *
 * @param account a SELECT or an INSERT that gives the account's columns; its own parameters are $11 on
 * @param also more common table expressions, which may read from `opened`
 * @param detail what the audit trail says beside, an expression
 */
export function openSessionSql (account: string, also: readonly string[] = [], detail = 'NULL'): string {
  return `
    WITH account AS (${account}), opened AS (
      INSERT INTO sessions (id, user_id, channel, nonce, secret_hash, key_id, ip, user_agent, idle_ends_at, ends_at)
      SELECT $1::uuid, id, $2::channel, $3::bytea, $4::bytea, $5, $6, $7,
        now() + make_interval(secs => least($8::float8, $9::float8)), now() + make_interval(secs => $9::float8)
      FROM account
      RETURNING id AS session_id, user_id, created_at AS opened_at, idle_ends_at, ends_at
    ), ${[auditSql('login', 'success', 'opened', { id: '$10', ip: '$6', userAgent: '$7', detail }), ...also].join(', ')}
    SELECT ${accountColumns('account')}, extract(epoch FROM opened_at)::float8 AS "openedAt",
      extract(epoch FROM idle_ends_at)::float8 AS "idleEndsAt", extract(epoch FROM ends_at)::float8 AS "endsAt",
      (SELECT count(*)::int FROM sessions WHERE user_id = account.id AND ${isLiveSql()}) AS others
    FROM account, opened`
}

/** The values of `openingSql`'s parameters, up to the account's own. */
export function openSessionValues ({ id, channel, nonce, secretHash, keyId, ip, userAgent, idleTtl, ttl }: NewSession): unknown[] {
  return [id, channel, nonce, secretHash, keyId, ip, userAgent, idleTtl, ttl, uuidv7()]
}

/** SQL: what `openingSql` needs of an account. */
export const ACCOUNT = 'users.id, users.email, users.email_verified, users.name, users.role, users.version, users.created_at'

// The row lock makes a login wait for whoever is changing the account, and then look again: without it, a login that was
// hashing while an admin disabled the account would leave a live session.
const OPEN_BY_PASSWORD = {
  name: 'sessions.open',
  text: openSessionSql(`SELECT ${ACCOUNT} FROM users WHERE id = $11::uuid AND disabled_at IS NULL AND password_hash = $12 FOR SHARE`)
}

const OPEN_BY_IDENTITY = {
  name: 'sessions.open-by-identity',
  text: openSessionSql(`
    SELECT ${ACCOUNT}, identities.provider FROM users JOIN identities ON identities.user_id = users.id
    WHERE users.id = $11::uuid AND users.disabled_at IS NULL AND identities.id = $12::uuid FOR SHARE`,
  [], "(SELECT jsonb_build_object('provider', provider) FROM account)")
}

export function createOpenSessionStore ({ prisma, query }: Pick<Database, 'prisma' | 'query'>): OpenSessionStore {
  return {
    async findAccount (email) {
      const [account] = await query<LoginAccount>(FIND_ACCOUNT, [email])
      return account ?? null
    },

    async replacePasswordHash ({ userId, from, to }) {
      const { count } = await prisma.user.updateMany({ where: { id: userId, passwordHash: from }, data: { passwordHash: to } })
      return count === 1
    },

    async open (session, { id, ...proof }) {
      const [statement, proved] = 'passwordHash' in proof ? [OPEN_BY_PASSWORD, proof.passwordHash] : [OPEN_BY_IDENTITY, proof.identityId]
      const [opened] = await query<OpenedSession>(statement, [...openSessionValues(session), id, proved])
      return opened
    }
  }
}
