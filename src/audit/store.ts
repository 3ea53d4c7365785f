import { v7 as uuidv7 } from 'uuid'
import type { Database, DbTransaction } from '../database/database.ts'
import { statement } from '../database/statement.ts'

/** What the audit trail records. */
export const AUDIT_ACTIONS = [
  'register', 'login', 'logout', 'refresh', 'session_end', 'password_change',
  'create', 'role_change', 'disable', 'enable', 'delete',
  'identity_link', 'identity_unlink', 'account_claim',
  'client_create', 'client_rotate', 'client_key', 'client_remove', 'client_authentication', 'client_token', 'client_revocation'
] as const

export type AuditAction = typeof AUDIT_ACTIONS[number]

/** Who did what to whom, and with which outcome. Never contains a secret. */
export interface AuditEvent {
  action: AuditAction
  outcome: 'success' | 'failure' | 'reused' | 'repeated'
  actorId?: string | undefined
  subjectId?: string | undefined
  sessionId?: string | undefined
  ip?: string | undefined
  userAgent?: string | null | undefined
  detail?: Record<string, string | number | boolean>
}

export type AuditStore = ReturnType<typeof createAuditStore>

const COLUMNS = 'id, action, outcome, actor_id, subject_id, session_id, ip, user_agent, detail'

const RECORD = statement('audit.record', `
  INSERT INTO audit_events (${COLUMNS})
  VALUES (:id::uuid, :action, :outcome, :actorId::uuid, :subjectId::uuid, :sessionId::uuid, :ip, :userAgent, :detail::jsonb)`)

export function createAuditStore ({ query }: Pick<Database, 'query'>) {
  return {
    async record ({ action, outcome, actorId, subjectId, sessionId, ip, userAgent, detail }: AuditEvent): Promise<void> {
      await query(RECORD, {
        id: uuidv7(),
        action,
        outcome,
        actorId: actorId ?? null,
        subjectId: subjectId ?? null,
        sessionId: sessionId ?? null,
        ip: ip ?? null,
        userAgent: userAgent ?? null,
        detail: detail === undefined ? null : JSON.stringify(detail)
      })
    }
  }
}

/** Writes an event within a transaction: it is stored together with what it records, or not at all. */
export async function recordAudit (tx: Pick<DbTransaction, 'auditEvent'>, { userAgent, actorId, subjectId, sessionId, ip, detail, ...event }: AuditEvent): Promise<void> {
  await tx.auditEvent.create({
    data: {
      id: uuidv7(),
      ...event,
      actorId: actorId ?? null,
      subjectId: subjectId ?? null,
      sessionId: sessionId ?? null,
      ip: ip ?? null,
      userAgent: userAgent ?? null,
      ...detail !== undefined && { detail }
    }
  })
}

/** What a statement records of an event, as SQL expressions. */
export interface AuditExpressions {
  id?: string
  ip?: string
  userAgent?: string
  /** May read from the source. */
  detail?: string
}

/**
 * SQL: a common table expression that writes one event for each row of `source`.
 *
 * @param source a table with the columns user_id and session_id
 * @param expressions by default the parameters `:eventId`, `:ip` and `:userAgent`, and no detail
 */
export function auditSql (action: AuditAction, outcome: AuditEvent['outcome'], source: string, { id = ':eventId', ip = ':ip', userAgent = ':userAgent', detail = 'NULL' }: AuditExpressions = {}): string {
  return `
    ${action}_audited AS (
      INSERT INTO audit_events (${COLUMNS})
      SELECT ${id}::uuid, '${action}', '${outcome}', user_id, user_id, session_id, ${ip}, ${userAgent}, ${detail}::jsonb FROM ${source}
    )`
}
