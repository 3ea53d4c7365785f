import { v7 as uuidv7 } from 'uuid'
import type { Database, DbTransaction, Log } from '../database/database.ts'
import { statement } from '../database/statement.ts'
import { AUDIT_ACTIONS, type AuditAction, type AuditEvent } from './audit-event.ts'
import { createCoalesceStore } from './coalesce-store.ts'
import { createCoalescer, type CoalesceBy } from './coalesce.ts'

export { AUDIT_ACTIONS, type AuditAction, type AuditEvent }

export type AuditStore = ReturnType<typeof createAuditStore>

const COLUMNS = 'id, action, outcome, actor_id, subject_id, session_id, ip, user_agent, detail'

const RECORD = statement('audit.record', `
  INSERT INTO audit_events (${COLUMNS})
  VALUES (:id::uuid, :action, :outcome, :actorId::uuid, :subjectId::uuid, :sessionId::uuid, :ip, :userAgent, :detail::jsonb)`)

export function createAuditStore ({ query }: Pick<Database, 'query'>, log: Pick<Log, 'warn'>) {
  const { add, flush, close } = createCoalescer({ write: createCoalesceStore({ query }), log })

  return {
    /** Writes an event of its own: for what happens as often as the service allows, and no stranger can repeat at will. */
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
    },

    /**
     * Counts an event in the row that it shares with its repetitions: the same account, outcome and detail, from one network
     * within ten minutes; by session, once a minute at most. It is for all that a stranger can repeat at will.
     */
    recordRepeatable (event: AuditEvent, by: CoalesceBy = 'network'): void {
      add(event, by)
    },

    /** Writes what was counted. */
    flush,
    close
  }
}

/** Writes an event within a transaction: it is stored together with what it records, or not at all. */
export async function recordAudit (tx: Pick<DbTransaction, 'auditEvent'>, { action, outcome, userAgent, actorId, subjectId, sessionId, ip, detail }: AuditEvent): Promise<void> {
  await tx.auditEvent.create({
    data: {
      id: uuidv7(),
      action,
      outcome,
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
  actorId?: string
  ip?: string
  userAgent?: string
  /** May read from the source. */
  detail?: string
}

/**
 * SQL: a common table expression that writes one event for each row of `source`.
 *
 * @param source a table with the columns user_id and session_id
 * @param expressions by default the parameters `:eventId`, `:ip` and `:userAgent`, the account itself as the actor, and no detail
 */
export function auditSql (action: AuditAction, outcome: AuditEvent['outcome'], source: string, { id = ':eventId', actorId = 'user_id', ip = ':ip', userAgent = ':userAgent', detail = 'NULL' }: AuditExpressions = {}): string {
  return `
    ${action}_audited AS (
      INSERT INTO audit_events (${COLUMNS})
      SELECT ${id}::uuid, '${action}', '${outcome}', ${actorId}::uuid, user_id, session_id, ${ip}, ${userAgent}, ${detail}::jsonb FROM ${source}
    )`
}
