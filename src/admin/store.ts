import { v7 as uuidv7 } from 'uuid'
import type { Role } from 'countersign-verifier'
import { recordAudit } from '../audit/store.ts'
import type { Database } from '../database/database.ts'
import { violatedConstraint } from '../database/errors.ts'
import { Problem } from '../errors.ts'
import type { Actor } from '../sessions/standing-store.ts'
import type { Page, PageRequest } from '../http/cursor-pagination.ts'

/** An account as an admin sees it. */
export type ListedUser = Awaited<ReturnType<Database['prisma']['user']['findMany']>>[number]

/** Somebody whom an admin makes an account for. */
export interface InvitedUser {
  /** Normalised. */
  email: string
  name: string | null
  role: Role
}

/** The queries of administration. */
export interface AdminStore {
  listUsers (request: PageRequest): Promise<Page<ListedUser>>
  findUser (id: string): Promise<ListedUser | null>
  /** Makes an account that has no password yet. @throws Problem 409 when the address is taken */
  createUser (user: InvitedUser, by: Actor): Promise<ListedUser>
}

export function createAdminStore ({ prisma }: Pick<Database, 'prisma'>): AdminStore {
  return {
    findUser: id => prisma.user.findUnique({ where: { id } }),

    async createUser (invited, { actorId, ...client }) {
      try {
        return await prisma.$transaction(async tx => {
          const user = await tx.user.create({ data: { id: uuidv7(), ...invited } })
          await recordAudit(tx, { action: 'create', outcome: 'success', actorId, subjectId: user.id, ...client, detail: { role: user.role } })
          return user
        })
      } catch (error) {
        throw violatedConstraint(error) === undefined ? error : new Problem('email_taken', { cause: error })
      }
    },

    // Ids are UUID v7: in their order accounts stand by age, and no two share a place.
    async listUsers ({ limit, after }) {
      const found = await prisma.user.findMany({
        ...after !== undefined && { where: { id: { gt: after } } },
        orderBy: { id: 'asc' },
        take: limit + 1
      })
      const items = found.slice(0, limit)
      return { items, next: found.length > limit ? items.at(-1)?.id : undefined }
    }
  }
}
