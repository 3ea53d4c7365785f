import type { Database } from '../database/database.ts'
import { statement } from '../database/statement.ts'
import type { CoalescedEvent } from './coalesce.ts'

// In the order of their keys: two instances that write the same rows lock them in one order.
const ADD = statement('audit.coalesce', `
  INSERT INTO audit_events (id, at, action, outcome, actor_id, subject_id, session_id, ip, user_agent, detail, times, last_at, coalesce_key)
  SELECT id, now() - make_interval(secs => first_ago), action, outcome, actor_id, subject_id, session_id, ip, user_agent, detail, times, now() - make_interval(secs => last_ago), key
  FROM jsonb_to_recordset(:events::jsonb) AS event (id uuid, first_ago float8, last_ago float8, action text, outcome text, actor_id uuid, subject_id uuid, session_id uuid, ip text, user_agent text, detail jsonb, times int, key text)
  ORDER BY key
  ON CONFLICT (coalesce_key) WHERE coalesce_key IS NOT NULL
  DO UPDATE SET times = audit_events.times + excluded.times, last_at = greatest(audit_events.last_at, excluded.last_at)`)

/** @returns a function that adds repetitions of events to their rows, in one statement */
export function createCoalesceStore ({ query }: Pick<Database, 'query'>) {
  return async (events: readonly CoalescedEvent[]): Promise<void> => {
    await query(ADD, { events: JSON.stringify(events.map(toRow)) })
  }
}

function toRow ({ key, id, event, times, firstAgo, lastAgo }: CoalescedEvent) {
  const { action, outcome, actorId, subjectId, sessionId, ip, userAgent, detail } = event
  return { key, id, times, first_ago: firstAgo, last_ago: lastAgo, action, outcome, actor_id: actorId, subject_id: subjectId, session_id: sessionId, ip, user_agent: userAgent, detail }
}
