import { v7 as uuidv7 } from 'uuid'
import type { Role } from 'countersign-verifier'
import { auditSql } from '../audit/store.ts'
import type { Database } from '../database/database.ts'
import { violatedConstraint } from '../database/errors.ts'
import { statement } from '../database/statement.ts'
import { Problem } from '../errors.ts'
import type { ClientInfo } from '../http/client-info.ts'
import { outboxSql, outboxValues, type OutboxRow } from '../outbox/enqueue.ts'
import { respellFormer } from '../sessions/former-spelling-store.ts'
import { isActiveSql } from '../sessions/session-sql.ts'
import { ACCOUNT_COLUMNS, openSessionSql, openSessionValues, type NewSession, type StoredSession } from '../sessions/open-session-store.ts'

/** An account as its owner sees it. */
export interface Account {
  id: string
  email: string
  emailVerified: boolean
  name: string | null
  role: Role
  createdAt: Date
  /** The language of mails and pages; `null` where none was chosen. */
  locale: string | null
  /** Whether the mail server of the address refused it for good. */
  emailUndeliverable: boolean
}

/** What the owner of an account changes of it; what is absent stays. */
export interface ProfileChange {
  name?: string | null | undefined
  locale?: string | null | undefined
}

/** An enabled account, as a change of its password needs it. */
export interface AccountWithPassword extends Pick<Account, 'email' | 'name'> {
  passwordHash: string | null
}

/** An account to be stored. */
export interface NewAccount {
  /** Normalised. */
  email: string
  name: string | null
  passwordHash: string
  role?: Role
  locale?: string | null
}

/** Where a new account was requested from; `null` where it was not over the network. */
export type CreatedBy = { [K in keyof ClientInfo]: ClientInfo[K] | null }

export type AccountStore = ReturnType<typeof createAccountStore>

const INSERT = 'INSERT INTO users (id, email, name, password_hash, role, locale) VALUES (:userId::uuid, :email, :name, :passwordHash, :role::role, :locale)'

const COLUMNS = 'id, email, email_verified AS "emailVerified", name, role::text AS role, created_at AS "createdAt", locale, email_undeliverable_at IS NOT NULL AS "emailUndeliverable"'

// Statements of their own instead of Prisma's, for the speed of many requests at once: what Prisma adds to a query takes
// longer than everything else that reading a profile does.
const FIND = statement('accounts.find', `SELECT ${COLUMNS} FROM users WHERE id = :id::uuid`)

const UPDATE = statement('accounts.update', `
  UPDATE users SET name = CASE WHEN :setsName::boolean THEN :name::text ELSE name END, locale = CASE WHEN :setsLocale::boolean THEN :locale::text ELSE locale END, updated_at = now()
  WHERE id = :id::uuid RETURNING ${COLUMNS}`)

const CREATE = statement('accounts.create', `
  WITH created AS (${INSERT} RETURNING id AS user_id, NULL::uuid AS session_id), ${auditSql('register', 'success', 'created')}
  SELECT user_id FROM created`)

const CREATE_WITH_SESSION = statement('accounts.create-with-session', openSessionSql(`${INSERT} RETURNING ${ACCOUNT_COLUMNS}`, [auditSql('register', 'success', 'stored'), outboxSql('stored')]))

const FIND_WITH_PASSWORD = statement('accounts.find-with-password', `
  SELECT email, name, password_hash AS "passwordHash" FROM users WHERE id = :id::uuid AND ${isActiveSql()}`)

const FIND_ID = statement('accounts.find-id', 'SELECT id FROM users WHERE email = :email')

export function createAccountStore ({ query }: Pick<Database, 'query'>) {
  return {
    /** @returns its id. @throws Problem 409 when the address is taken */
    async create ({ email, name, passwordHash, role = 'user', locale = null }: NewAccount, { ip, userAgent }: CreatedBy): Promise<string> {
      const userId = uuidv7()
      await respellFormer({ query }, email)
      try {
        await query(CREATE, { userId, email, name, passwordHash, role, locale, eventId: uuidv7(), ip, userAgent })
        return userId
      } catch (error) {
        throw violatedConstraint(error) === undefined ? error : new Problem('email_taken', { cause: error })
      }
    },

    /** Stores an account, its first session, and a message about it. @returns `undefined` when the address is taken */
    async createWithSession ({ email, name, passwordHash, role = 'user', locale = null }: NewAccount, session: NewSession, message: OutboxRow): Promise<StoredSession | undefined> {
      try {
        const [stored] = await query<StoredSession>(CREATE_WITH_SESSION, { ...openSessionValues(session), userId: uuidv7(), email, name, passwordHash, role, locale, eventId: uuidv7(), ...outboxValues(message) })
        return stored
      } catch (error) {
        if (violatedConstraint(error) === undefined) throw error
        return undefined
      }
    },

    async find (id: string): Promise<Account | undefined> {
      const [account] = await query<Account>(FIND, { id })
      return account
    },

    async findWithPassword (id: string): Promise<AccountWithPassword | null> {
      const [account] = await query<AccountWithPassword>(FIND_WITH_PASSWORD, { id })
      return account ?? null
    },

    async findId (email: string): Promise<string | undefined> {
      await respellFormer({ query }, email)
      const [account] = await query<{ id: string }>(FIND_ID, { email })
      return account?.id
    },

    async update (id: string, { name, locale }: ProfileChange): Promise<Account | undefined> {
      const [updated] = await query<Account>(UPDATE, { id, setsName: name !== undefined, name: name ?? null, setsLocale: locale !== undefined, locale: locale ?? null })
      return updated
    }
  }
}
