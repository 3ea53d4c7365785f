import type { AuditAction, AuditStore } from './store.ts'
import type { Database } from '../database/database.ts'
import { afterwardsSql } from '../database/afterwards-sql.ts'
import { statement } from '../database/statement.ts'
import type { Page, PageRequest } from '../http/cursor-pagination.ts'

/** An event of the audit trail as it is stored. */
export type ListedEvent = Omit<Awaited<ReturnType<Database['prisma']['auditEvent']['findMany']>>[number], 'coalesceKey'>

/** Limits a list to the events of one account, or of one kind. */
export interface EventFilter {
  subject?: string
  action?: AuditAction
}

export type AuditListStore = ReturnType<typeof createAuditListStore>

const PAGE = `
  SELECT id, at, action, outcome, actor_id AS "actorId", subject_id AS "subjectId", session_id AS "sessionId", ip, user_agent AS "userAgent", detail, times, last_at AS "lastAt"
  FROM audit_events WHERE id < :before::uuid`

// Each has the order of one index. By `id` alone, or with `=`, a plan may walk the whole trail by its ids until it has met
// enough that match.
const LIST = statement('audit.list', `${PAGE} ORDER BY id DESC LIMIT :limit`)
const LIST_OF_ACTION = statement('audit.list-of-action', `${PAGE} AND action BETWEEN :action AND :action ORDER BY action DESC, id DESC LIMIT :limit`)
const LIST_OF_SUBJECT = statement('audit.list-of-subject', `
  ${PAGE} AND subject_id BETWEEN :subject::uuid AND :subject::uuid AND ${afterwardsSql(':action::text IS NULL OR action = :action::text')}
  ORDER BY subject_id DESC, id DESC LIMIT :limit`)

/** The first page begins with it: it is after every id. */
const LAST_ID = 'ffffffff-ffff-ffff-ffff-ffffffffffff'

export function createAuditListStore ({ query }: Pick<Database, 'query'>, { flush }: Pick<AuditStore, 'flush'>) {
  return {
    /** Lists events, the newest first, with all that this instance has counted so far. */
    async list ({ limit, after: before = LAST_ID, subject, action }: PageRequest & EventFilter): Promise<Page<ListedEvent>> {
      // What cannot be written now is written later, and must not keep anybody from reading.
      await flush().catch(() => {})
      const list = subject !== undefined ? LIST_OF_SUBJECT : action !== undefined ? LIST_OF_ACTION : LIST
      const found = await query<ListedEvent>(list, { before, limit: limit + 1, subject, action: action ?? null })
      const items = found.slice(0, limit)
      return { items, next: found.length > limit ? items.at(-1)?.id : undefined }
    }
  }
}
