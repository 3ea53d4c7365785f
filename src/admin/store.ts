import type { Database } from '../database/database.ts'
import type { Page, PageRequest } from './page.ts'

/** An account as an admin sees it. */
export type ListedUser = Awaited<ReturnType<Database['prisma']['user']['findMany']>>[number]

/** The queries of administration. */
export interface AdminStore {
  listUsers (request: PageRequest): Promise<Page<ListedUser>>
  findUser (id: string): Promise<ListedUser | null>
}

export function createAdminStore ({ prisma }: Pick<Database, 'prisma'>): AdminStore {
  return {
    findUser: id => prisma.user.findUnique({ where: { id } }),

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
