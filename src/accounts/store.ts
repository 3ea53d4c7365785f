import { v7 as uuidv7 } from 'uuid'
import type { Database } from '../database/database.ts'
import { violatedConstraint } from '../database/errors.ts'
import { Problem } from '../errors.ts'

/** An account without its password hash. */
export type Account = NonNullable<Awaited<ReturnType<Database['prisma']['user']['findUnique']>>>

/** The queries of accounts. */
export interface AccountStore {
  /** @throws Problem 409 when the address is taken */
  create (account: { email: string, name: string | null, passwordHash: string, role?: Account['role'] }): Promise<Account>
  find (id: string): Promise<Account | null>
  findWithPassword (id: string): Promise<Pick<Account, 'email' | 'name'> & { passwordHash: string | null } | null>
  exists (email: string): Promise<boolean>
  rename (id: string, name: string | null): Promise<Account | null>
}

export function createAccountStore ({ prisma }: Pick<Database, 'prisma'>): AccountStore {
  return {
    async create (account) {
      try {
        return await prisma.user.create({ data: { id: uuidv7(), ...account } })
      } catch (error) {
        throw violatedConstraint(error) === undefined ? error : new Problem('email_taken', { cause: error })
      }
    },

    find: id => prisma.user.findUnique({ where: { id } }),

    findWithPassword: id => prisma.user.findUnique({ where: { id, disabledAt: null }, select: { email: true, name: true, passwordHash: true } }),

    exists: async email => await prisma.user.count({ where: { email } }) > 0,

    async rename (id, name) {
      const [renamed] = await prisma.user.updateManyAndReturn({ where: { id }, data: { name } })
      return renamed ?? null
    }
  }
}
