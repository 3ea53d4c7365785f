import { v7 as uuidv7 } from 'uuid'
import { auditSql } from '../audit/store.ts'
import type { Database } from '../database/database.ts'
import { violatedConstraint } from '../database/errors.ts'
import { Problem } from '../errors.ts'
import type { ClientInfo } from '../http/client-info.ts'
import { ACCOUNT, openSessionSql, openSessionValues, type NewSession, type OpenedSession } from '../sessions/open-session-store.ts'

/** An account without its password hash. */
export type Account = NonNullable<Awaited<ReturnType<Database['prisma']['user']['findUnique']>>>

/** An account about to be made. */
export interface NewAccount {
  /** Normalised. */
  email: string
  name: string | null
  passwordHash: string
  role?: Account['role']
}

/** Where an account was asked for; `null` where it was not over the network. */
export type CreatedBy = { [K in keyof ClientInfo]: ClientInfo[K] | null }

/** The queries of accounts. */
export interface AccountStore {
  /** @returns its id. @throws Problem 409 when the address is taken */
  create (account: NewAccount, by: CreatedBy): Promise<string>
  /** Makes an account and opens its first session. @returns `undefined` when the address is taken */
  createWithSession (account: NewAccount, session: NewSession): Promise<OpenedSession | undefined>
  find (id: string): Promise<Account | null>
  findWithPassword (id: string): Promise<Pick<Account, 'email' | 'name'> & { passwordHash: string | null } | null>
  idOf (email: string): Promise<string | undefined>
  rename (id: string, name: string | null): Promise<Account | null>
}

// Registering and logging in go by prepared statements: they are what a storm is made of.
const CREATE = {
  name: 'accounts.create',
  text: `
    WITH created AS (
      INSERT INTO users (id, email, name, password_hash, role) VALUES ($1::uuid, $2, $3, $4, $5::role)
      RETURNING id AS user_id, NULL::uuid AS session_id
    ), ${auditSql('register', 'success', 'created', { id: '$6', ip: '$7', userAgent: '$8' })}
    SELECT user_id FROM created`
}

const CREATE_WITH_SESSION = {
  name: 'accounts.create-with-session',
  text: openSessionSql(
    `INSERT INTO users (id, email, name, password_hash, role) VALUES ($11::uuid, $12, $13, $14, $15::role) RETURNING ${ACCOUNT}`,
    [auditSql('register', 'success', 'opened', { id: '$16', ip: '$6', userAgent: '$7' })]
  )
}

const ID_OF = { name: 'accounts.id-of', text: 'SELECT id FROM users WHERE email = $1' }

export function createAccountStore ({ prisma, query }: Pick<Database, 'prisma' | 'query'>): AccountStore {
  return {
    async create ({ email, name, passwordHash, role = 'user' }, { ip, userAgent }) {
      const id = uuidv7()
      try {
        await query(CREATE, [id, email, name, passwordHash, role, uuidv7(), ip, userAgent])
        return id
      } catch (error) {
        throw violatedConstraint(error) === undefined ? error : new Problem('email_taken', { cause: error })
      }
    },

    find: id => prisma.user.findUnique({ where: { id } }),

    findWithPassword: id => prisma.user.findUnique({ where: { id, disabledAt: null }, select: { email: true, name: true, passwordHash: true } }),

    async createWithSession ({ email, name, passwordHash, role = 'user' }, session) {
      try {
        const [opened] = await query<OpenedSession>(CREATE_WITH_SESSION, [...openSessionValues(session), uuidv7(), email, name, passwordHash, role, uuidv7()])
        return opened
      } catch (error) {
        if (violatedConstraint(error) === undefined) throw error
        return undefined
      }
    },

    async idOf (email) {
      const [account] = await query<{ id: string }>(ID_OF, [email])
      return account?.id
    },

    async rename (id, name) {
      const [renamed] = await prisma.user.updateManyAndReturn({ where: { id }, data: { name } })
      return renamed ?? null
    }
  }
}
