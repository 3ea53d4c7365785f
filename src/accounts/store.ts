import { v7 as uuidv7 } from 'uuid'
import { auditSql } from '../audit/store.ts'
import type { Database } from '../database/database.ts'
import { violatedConstraint } from '../database/errors.ts'
import { statement } from '../database/statement.ts'
import { Problem } from '../errors.ts'
import type { ClientInfo } from '../http/client-info.ts'
import { ACCOUNT_COLUMNS, openSessionSql, openSessionValues, type NewSession, type StoredSession } from '../sessions/open-session-store.ts'

/** An account without its password hash. */
export type Account = NonNullable<Awaited<ReturnType<Database['prisma']['user']['findUnique']>>>

/** An account to be stored. */
export interface NewAccount {
  /** Normalised. */
  email: string
  name: string | null
  passwordHash: string
  role?: Account['role']
}

/** Where a new account was requested from; `null` where it was not over the network. */
export type CreatedBy = { [K in keyof ClientInfo]: ClientInfo[K] | null }

export type AccountStore = ReturnType<typeof createAccountStore>

const INSERT = 'INSERT INTO users (id, email, name, password_hash, role) VALUES (:userId::uuid, :email, :name, :passwordHash, :role::role)'

// Statements of their own instead of Prisma's, for the speed of many registrations and logins at once.
const CREATE = statement('accounts.create', `
  WITH created AS (${INSERT} RETURNING id AS user_id, NULL::uuid AS session_id), ${auditSql('register', 'success', 'created')}
  SELECT user_id FROM created`)

const CREATE_WITH_SESSION = statement('accounts.create-with-session', openSessionSql(`${INSERT} RETURNING ${ACCOUNT_COLUMNS}`, [auditSql('register', 'success', 'stored')]))

const FIND_ID = statement('accounts.find-id', 'SELECT id FROM users WHERE email = :email')

export function createAccountStore ({ prisma, query }: Pick<Database, 'prisma' | 'query'>) {
  return {
    /** @returns its id. @throws Problem 409 when the address is taken */
    async create ({ email, name, passwordHash, role = 'user' }: NewAccount, { ip, userAgent }: CreatedBy): Promise<string> {
      const userId = uuidv7()
      try {
        await query(CREATE, { userId, email, name, passwordHash, role, eventId: uuidv7(), ip, userAgent })
        return userId
      } catch (error) {
        throw violatedConstraint(error) === undefined ? error : new Problem('email_taken', { cause: error })
      }
    },

    /** Stores an account and its first session. @returns `undefined` when the address is taken */
    async createWithSession ({ email, name, passwordHash, role = 'user' }: NewAccount, session: NewSession): Promise<StoredSession | undefined> {
      try {
        const [stored] = await query<StoredSession>(CREATE_WITH_SESSION, { ...openSessionValues(session), userId: uuidv7(), email, name, passwordHash, role, eventId: uuidv7() })
        return stored
      } catch (error) {
        if (violatedConstraint(error) === undefined) throw error
        return undefined
      }
    },

    find: (id: string): Promise<Account | null> => prisma.user.findUnique({ where: { id } }),

    findWithPassword: (id: string): Promise<Pick<Account, 'email' | 'name'> & { passwordHash: string | null } | null> =>
      prisma.user.findUnique({ where: { id, disabledAt: null }, select: { email: true, name: true, passwordHash: true } }),

    async findId (email: string): Promise<string | undefined> {
      const [account] = await query<{ id: string }>(FIND_ID, { email })
      return account?.id
    },

    async rename (id: string, name: string | null): Promise<Account | null> {
      const [renamed] = await prisma.user.updateManyAndReturn({ where: { id }, data: { name } })
      return renamed ?? null
    }
  }
}
