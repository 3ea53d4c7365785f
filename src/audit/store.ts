import { v7 as uuidv7 } from 'uuid'
import type { Database, DbTransaction } from '../database/database.ts'

/** What is worth remembering. */
export const AUDIT_ACTIONS = [
  'register', 'login', 'logout', 'refresh', 'session_end', 'password_change',
  'create', 'role_change', 'disable', 'enable', 'delete',
  'identity_link', 'identity_unlink', 'account_claim',
  'client_create', 'client_rotate', 'client_key', 'client_remove', 'client_authentication', 'client_token', 'client_revocation'
] as const

export type AuditAction = typeof AUDIT_ACTIONS[number]

/** Who did what to whom, and how it went. Never a secret. */
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

/** The audit trail. */
export interface AuditStore {
  record (event: AuditEvent): Promise<void>
}

const RECORD = {
  name: 'audit.record',
  text: `
    INSERT INTO audit_events (id, action, outcome, actor_id, subject_id, session_id, ip, user_agent, detail)
    VALUES ($1::uuid, $2, $3, $4::uuid, $5::uuid, $6::uuid, $7, $8, $9::jsonb)`
}

export function createAuditStore ({ query }: Pick<Database, 'query'>): AuditStore {
  return {
    async record ({ action, outcome, actorId, subjectId, sessionId, ip, userAgent, detail }) {
      const facts = [actorId, subjectId, sessionId, ip, userAgent, detail === undefined ? undefined : JSON.stringify(detail)]
      await query(RECORD, [uuidv7(), action, outcome, ...facts.map(fact => fact ?? null)])
    }
  }
}

/** Writes an event within a transaction, so that it is there exactly when what it tells of is. */
export async function recordAudit (tx: Pick<DbTransaction, 'auditEvent'>, { userAgent, actorId, subjectId, sessionId, ip, detail, ...event }: AuditEvent): Promise<void> {
  await tx.auditEvent.create({
    data: {
      id: uuidv7(),
      ...event,
      actorId: actorId ?? null,
      subjectId: subjectId ?? null,
      sessionId: sessionId ?? null,
      ip: ip ?? null,
      userAgent: userAgent?.slice(0, 512) ?? null,
      ...detail !== undefined && { detail }
    }
  })
}

/**
 * SQL: a common table expression that writes one event for each row of `source`.
 *
 * @param source a table with the columns user_id and session_id
 * @param parameters placeholders of the event's id, ip and user agent; `detail` is an expression over `source`
 */
export function auditSql (action: AuditAction, outcome: AuditEvent['outcome'], source: string, { id, ip, userAgent, detail = 'NULL' }: Record<'id' | 'ip' | 'userAgent', string> & { detail?: string }): string {
  return `
    ${action}_audited AS (
      INSERT INTO audit_events (id, action, outcome, actor_id, subject_id, session_id, ip, user_agent, detail)
      SELECT ${id}::uuid, '${action}', '${outcome}', user_id, user_id, session_id, ${ip}, ${userAgent}, ${detail}::jsonb FROM ${source}
    )`
}
