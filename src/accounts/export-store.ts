import type { AuditAction, AuditEvent } from '../audit/store.ts'
import type { Database } from '../database/database.ts'
import { statement } from '../database/statement.ts'
import type { Channel } from '../sessions/open-session-store.ts'
import type { Account } from './store.ts'

/** An account as it is exported. */
export interface ExportedAccount extends Account {
  hasPassword: boolean
  emailUndeliverableAt: Date | null
  deletionDueAt: Date | null
  updatedAt: Date
}

/** A session as it is exported. */
export interface ExportedSession {
  id: string
  channel: Channel
  ip: string | null
  userAgent: string | null
  createdAt: Date
  authenticatedAt: Date | null
  lastSeenAt: Date
  expiresAt: Date
  endedAt: Date | null
  endedReason: string | null
}

/** An event as it is exported. Who acted, and from where, is told where it was the owner, or nobody who is known. */
export interface ExportedEvent {
  id: string
  at: Date
  lastAt: Date | null
  times: number
  action: AuditAction
  outcome: AuditEvent['outcome']
  bySomebodyElse: boolean
  sessionId: string | null
  ip: string | null
  userAgent: string | null
  detail: object | null
}

export type ExportStore = ReturnType<typeof createExportStore>

const ACCOUNT = statement('export.account', `
  SELECT id::text AS id, email, email_verified AS "emailVerified", name, role::text AS role, locale, password_hash IS NOT NULL AS "hasPassword",
    email_undeliverable_at IS NOT NULL AS "emailUndeliverable", email_undeliverable_at AS "emailUndeliverableAt", deletion_due_at AS "deletionDueAt", created_at AS "createdAt", updated_at AS "updatedAt"
  FROM users WHERE id = :userId::uuid`)

const SESSIONS = statement('export.sessions', `
  SELECT id::text AS id, channel::text AS channel, ip, user_agent AS "userAgent", created_at AS "createdAt", authenticated_at AS "authenticatedAt",
    last_seen_at AS "lastSeenAt", least(idle_ends_at, ends_at) AS "expiresAt", ended_at AS "endedAt", ended_reason AS "endedReason"
  FROM sessions WHERE user_id = :userId::uuid AND id > :after::uuid ORDER BY id LIMIT :limit`)

const IS_OTHER = 'actor_id IS DISTINCT FROM subject_id AND actor_id IS NOT NULL'
const EVENTS = statement('export.events', `
  SELECT id::text AS id, at, last_at AS "lastAt", times, action, outcome, ${IS_OTHER} AS "bySomebodyElse", session_id::text AS "sessionId",
    CASE WHEN NOT (${IS_OTHER}) THEN ip END AS ip, CASE WHEN NOT (${IS_OTHER}) THEN user_agent END AS "userAgent", detail
  FROM audit_events WHERE subject_id = :userId::uuid AND id > :after::uuid ORDER BY id LIMIT :limit`)

/** The first page begins after it: before every id. */
const NO_ID = '00000000-0000-0000-0000-000000000000'

/** Everything that is stored about an account, but its secrets, in pages. */
export function createExportStore ({ query }: Pick<Database, 'query'>, pageSize = 500) {
  return {
    async findAccount (userId: string): Promise<ExportedAccount | undefined> {
      const [account] = await query<ExportedAccount>(ACCOUNT, { userId })
      return account
    },

    /** The sessions that are stored, live or not, the oldest first. */
    async * sessions (userId: string): AsyncGenerator<ExportedSession> {
      for (let after = NO_ID, isLast = false; !isLast;) {
        const page = await query<ExportedSession>(SESSIONS, { userId, after, limit: pageSize })
        yield * page
        isLast = page.length < pageSize
        after = page.at(-1)?.id ?? after
      }
    },

    /** The events of the audit trail about an account, the oldest first. */
    async * events (userId: string): AsyncGenerator<ExportedEvent> {
      for (let after = NO_ID, isLast = false; !isLast;) {
        const page = await query<ExportedEvent>(EVENTS, { userId, after, limit: pageSize })
        yield * page
        isLast = page.length < pageSize
        after = page.at(-1)?.id ?? after
      }
    }
  }
}
