import { createRevocationSet, LEDGER_LIFE, type Revocation, type RevocationSet } from 'countersign-verifier/internal'
import type { Database, Log } from '../database/database.ts'
import { isDatabaseUnavailable } from '../database/errors.ts'
import { statement } from '../database/statement.ts'
import type { LedgerReader } from './ledger-reader.ts'
import { CHANNEL, COLUMNS, NO_VERSION, toRevocation } from './ledger-writer.ts'

const BATCH = 1_000
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

// What has happened already stays as it is: it may run any number of times. Of instances that find out at the same time one gets
// the lock; the others look again. What revoked all tokens of an account may have ended its sessions, too: all that were open then
// end, for their refresh tokens would get good ones of the version that it has now. Whoever has logged in since stays.
const RESTORE = statement('revocations.restore', `
  WITH mine AS MATERIALIZED (SELECT pg_try_advisory_xact_lock(hashtext('countersign restore'), 1) AS turn),
  missing AS MATERIALIZED (
    SELECT entry.* FROM jsonb_to_recordset(:missing::jsonb) AS entry (kind text, id text, "minVersion" int, "expiresAt" float8)
    WHERE (SELECT turn FROM mine) AND to_timestamp("expiresAt") > now()
  ), noted AS (
    INSERT INTO revocations (kind, subject, user_id, client_id, min_version, expires_at, xid)
    SELECT kind::revocation_kind, id,
      CASE kind WHEN 'user' THEN id::uuid WHEN 'session' THEN (SELECT user_id FROM sessions WHERE sessions.id = missing.id::uuid) END,
      CASE kind WHEN 'client' THEN id END, "minVersion", least(to_timestamp("expiresAt"), now() + interval '${LEDGER_LIFE} seconds'), pg_current_xact_id()::text::bigint
    FROM missing
    RETURNING ${COLUMNS}
  ), behind AS MATERIALIZED (
    SELECT users.id, "minVersion", to_timestamp("expiresAt") - interval '${LEDGER_LIFE} seconds' AS revoked_at
    FROM users JOIN (SELECT id::uuid AS id, "minVersion", "expiresAt" FROM missing WHERE kind = 'user') AS entry USING (id)
    WHERE version < "minVersion"
  ), ended AS (
    UPDATE sessions SET ended_at = now(), ended_reason = 'restored'
    WHERE id IN (
      SELECT id::uuid FROM missing WHERE kind = 'session'
      UNION ALL
      SELECT sessions.id FROM behind JOIN sessions ON user_id = behind.id AND created_at <= revoked_at
    ) AND ended_at IS NULL RETURNING 1
  ), raised AS (
    UPDATE users SET version = "minVersion"
    FROM behind WHERE users.id = behind.id AND "minVersion" < ${NO_VERSION} RETURNING users.id
  ), disabled AS (
    UPDATE users SET disabled_at = now()
    WHERE id IN (SELECT id FROM behind WHERE "minVersion" = ${NO_VERSION}) AND disabled_at IS NULL RETURNING id
  ), raised_clients AS (
    UPDATE clients SET version = greatest(version, coalesce("minVersion", 0)), removed_at = CASE WHEN "minVersion" IS NULL THEN coalesce(removed_at, now()) ELSE removed_at END
    FROM missing WHERE kind = 'client' AND clients.id = missing.id RETURNING 1
  ), announced AS (
    SELECT pg_notify('${CHANNEL}', row_to_json(noted)::text)::text AS sent FROM noted
  )
  SELECT (SELECT turn FROM mine) AS turn, (SELECT count(sent)::int FROM announced) AS written, (SELECT count(*)::int FROM ended) AS ended,
    ARRAY(SELECT id::text FROM raised) AS raised, ARRAY(SELECT id::text FROM disabled) AS disabled`)

interface Restored { turn: boolean, written: number, ended: number, raised: string[], disabled: string[] }

export interface RestoreDeps {
  database: Pick<Database, 'query'>
  ledger: Pick<LedgerReader, 'read'>
  log: Pick<Log, 'warn'>
}

/** @param known what is revoked for certain */
export type RestoreRevocations = (known: Pick<RevocationSet, 'pieces'>) => Promise<boolean>

/**
 * Writes what this instance knows to be revoked back into a ledger that does not have it: after a failover to a standby that was
 * behind, logouts that were answered are missing, and their sessions are live again.
 *
 * @returns a function that says whether it is done: `false` while another instance is at it
 */
export function createRestoreRevocations ({ database, ledger, log }: RestoreDeps): RestoreRevocations {
  // An entry that the database refuses keeps no other from being written.
  async function * writeBack (missing: readonly Revocation[]): AsyncGenerator<Restored | undefined> {
    try {
      const [restored] = await database.query<Restored>(RESTORE, { missing: JSON.stringify(missing) })
      yield restored
    } catch (error) {
      if (isDatabaseUnavailable(error)) throw error
      if (missing.length > 1) for (const entry of missing) yield * writeBack([entry])
      else log.warn({ err: error, kind: missing[0]?.kind }, 'a revocation could not be written back')
    }
  }

  return async function restoreRevocations (known): Promise<boolean> {
    // A row was written together with what it speaks of: where it is there, so is that.
    const present = createRevocationSet()
    await ledger.read(rows => { for (const revocation of rows.flatMap(toRevocation)) present.add(revocation) })
    const total = { written: 0, ended: 0 }
    const [raised, disabled]: [string[], string[]] = [[], []]
    for (const missing of missingFrom(present, known)) {
      for await (const restored of writeBack(missing)) {
        if (restored?.turn !== true) return false
        total.written += restored.written
        total.ended += restored.ended
        raised.push(...restored.raised)
        disabled.push(...restored.disabled)
      }
    }
    if (total.written > 0) log.warn(total, 'the ledger was replaced by one that lacked revocations: they were written back')
    // Why it was is not in the ledger: a new password, another role, a disabled account, or all sessions ended.
    if (raised.length > 0) log.warn({ users: raised }, 'accounts whose tokens were all revoked lost what went with it; their sessions are ended: check role and status of each')
    // What was deleted with it cannot be deleted again from here.
    if (disabled.length > 0) log.warn({ users: disabled }, 'accounts whose deletion was lost are disabled; delete them again, or let them in with: countersign users enable --id')
    return true
  }
}

/** What is in the one set and not in the other, in batches. */
function * missingFrom (present: RevocationSet, { pieces }: Pick<RevocationSet, 'pieces'>): Generator<Revocation[]> {
  const batch: Revocation[] = []
  for (const { read } of pieces()) {
    batch.push(...read().filter(entry => !isIn(present, entry) && (entry.kind === 'client' || UUID.test(entry.id))))
    while (batch.length >= BATCH) yield batch.splice(0, BATCH)
  }
  if (batch.length > 0) yield batch
}

function isIn (present: RevocationSet, entry: Revocation): boolean {
  if (entry.kind === 'session') return present.hasSession(entry.id)
  // Without a version all of them are revoked.
  return present.has({ sessionId: '', subject: entry.id, version: entry.minVersion === undefined ? Number.MAX_VALUE : entry.minVersion - 1 })
}
