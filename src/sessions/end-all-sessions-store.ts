import { v7 as uuidv7 } from 'uuid'
import { auditSql } from '../audit/store.ts'
import type { Database } from '../database/database.ts'
import { statement } from '../database/statement.ts'
import { revocationSql } from '../revocation/ledger-writer.ts'

/** What was ended. */
export interface EndedSessions {
  sessions: number
  accounts: number
}

// Each account may have 100 live sessions, and a statement has 3 s.
const [FIRST, BATCH] = ['00000000-0000-0000-0000-000000000000', 40]

// A restored backup has lower versions than tokens that were issued after it: the next one must be above all of those.
const LEAP = 10_000

// A batch is as many accounts as are read, each locked in the order of the ids. Sessions that have expired end too: in a backup
// that is some days old, these are some that were used until now. They are not counted.
const END_BATCH = statement('sessions.end-all', `
  WITH batch AS MATERIALIZED (SELECT id FROM users WHERE id > :after::uuid ORDER BY id LIMIT ${BATCH}),
  wanted AS MATERIALIZED (
    SELECT DISTINCT user_id AS id FROM sessions WHERE user_id = ANY (ARRAY(SELECT id FROM batch)) AND ended_at IS NULL ORDER BY user_id
  ), owner AS MATERIALIZED (
    SELECT locked.id FROM wanted, LATERAL (SELECT id FROM users WHERE users.id = wanted.id FOR NO KEY UPDATE) AS locked
  ), ended AS (
    UPDATE sessions SET ended_at = now(), ended_reason = 'ended' WHERE user_id = ANY (ARRAY(SELECT id FROM owner)) AND ended_at IS NULL
    RETURNING user_id, idle_ends_at > now() AND ends_at > now() AS was_live
  ), raised AS (
    UPDATE users SET version = version + ${LEAP} WHERE id = ANY (ARRAY(SELECT id FROM owner)) RETURNING id, version
  ), collapsed AS (
    DELETE FROM revocations USING raised
    WHERE user_id = ANY (ARRAY(SELECT id FROM owner)) AND user_id = raised.id AND coalesce(revocations.min_version, 0) < raised.version
  ), ${revocationSql("SELECT 'user' AS kind, id::text AS subject, id AS user_id, version AS min_version FROM raised")
  }, ${auditSql('session_end', 'success', '(SELECT id AS user_id, NULL::uuid AS session_id FROM raised) AS changed', {
    id: 'overlay(:eventId::text placing right(user_id::text, 12) from 25)', actorId: 'NULL', ip: 'NULL', userAgent: 'NULL'
  })}
  SELECT (SELECT id::text FROM batch ORDER BY batch.id DESC LIMIT 1) AS last, (SELECT count(sent)::int FROM announced) AS announced,
    (SELECT count(*)::int FROM ended WHERE was_live) AS sessions, (SELECT count(DISTINCT user_id)::int FROM ended WHERE was_live) AS accounts`)

/**
 * Ends every session of every account, account by account: each with its tokens, its row in the ledger and the notification, or
 * not at all. Who logs in meanwhile may have to do so again.
 */
export async function endAllSessions ({ query }: Pick<Database, 'query'>): Promise<EndedSessions> {
  const total = { sessions: 0, accounts: 0 }
  for (let after: string | null = FIRST; after !== null;) {
    const rows: Array<EndedSessions & { last: string | null }> = await query(END_BATCH, { after, eventId: uuidv7() })
    const [{ last, sessions, accounts } = { last: null, sessions: 0, accounts: 0 }] = rows
    total.sessions += sessions
    total.accounts += accounts
    after = last
  }
  return total
}
