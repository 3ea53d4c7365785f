import type { AuditAction } from './store.ts'
import type { Database } from '../database/database.ts'
import type { Page, PageRequest } from '../http/cursor-pagination.ts'

/** An event of the audit trail as it is kept. */
export type ListedEvent = Awaited<ReturnType<Database['prisma']['auditEvent']['findMany']>>[number]

/** Which events are asked for: all, or those of one account, of one kind. */
export interface EventFilter {
  subject?: string
  action?: AuditAction
}

/** The queries of who reads the audit trail. */
export interface AuditListStore {
  /** The newest first. */
  list (request: PageRequest & EventFilter): Promise<Page<ListedEvent>>
}

export function createAuditListStore ({ prisma }: Pick<Database, 'prisma'>): AuditListStore {
  return {
    async list ({ limit, after, subject, action }) {
      const found = await prisma.auditEvent.findMany({
        where: {
          ...after !== undefined && { id: { lt: after } },
          ...subject !== undefined && { subjectId: subject },
          ...action !== undefined && { action }
        },
        orderBy: { id: 'desc' },
        take: limit + 1
      })
      const items = found.slice(0, limit)
      return { items, next: found.length > limit ? items.at(-1)?.id : undefined }
    }
  }
}
