import type { AuditAction } from './store.ts'
import type { Database } from '../database/database.ts'
import type { Page, PageRequest } from '../http/cursor-pagination.ts'

/** An event of the audit trail as it is stored. */
export type ListedEvent = Awaited<ReturnType<Database['prisma']['auditEvent']['findMany']>>[number]

/** Limits a list to the events of one account, or of one kind. */
export interface EventFilter {
  subject?: string
  action?: AuditAction
}

export type AuditListStore = ReturnType<typeof createAuditListStore>

export function createAuditListStore ({ prisma }: Pick<Database, 'prisma'>) {
  return {
    /** Lists events, the newest first. */
    async list ({ limit, after, subject, action }: PageRequest & EventFilter): Promise<Page<ListedEvent>> {
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
