import { v7 as uuidv7 } from 'uuid'
import type { Role } from 'countersign-verifier'
import { recordAudit } from '../audit/store.ts'
import type { Database } from '../database/database.ts'
import { violatedConstraint } from '../database/errors.ts'
import { Problem } from '../errors.ts'
import type { Actor } from '../http/client-info.ts'
import type { Page, PageRequest } from '../http/cursor-pagination.ts'

/** An account as an admin sees it. */
export type ListedUser = Awaited<ReturnType<Database['prisma']['user']['findMany']>>[number]

/** An account that an admin creates for somebody else. */
export interface InvitedUser {
  /** Normalised. */
  email: string
  name: string | null
  role: Role
}

export type AdminStore = ReturnType<typeof createAdminStore>

export function createAdminStore ({ prisma }: Pick<Database, 'prisma'>) {
  return {
    findUser: (id: string): Promise<ListedUser | null> => prisma.user.findUnique({ where: { id } }),

    /** Creates an account that has no password yet. @throws Problem 409 when the address is taken */
    async createUser (invited: InvitedUser, { actorId, ...client }: Actor): Promise<ListedUser> {
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

    /** Lists accounts, the oldest first. */
    async listUsers ({ limit, after }: PageRequest): Promise<Page<ListedUser>> {
      // Ids are UUID v7: unique, and in the order of creation.
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
