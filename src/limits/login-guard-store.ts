import type { Database, DbTransaction } from '../database/database.ts'
import { isLiveSql } from '../database/live-session-sql.ts'
import { createPurgeBatch } from '../database/purge-batch.ts'
import { errorCode } from '../config/error-code.ts'
import { statement } from '../database/statement.ts'

/** An account whose password is about to be verified. */
interface Account {
  id: string
  passwordHash: string | null
  emailVerified: boolean
  disabledAt: Date | null
  deletionDueAt: Date | null
}

/** A failure that was reserved: whose, and in which part of the guard. */
export interface GuardTicket {
  readonly subject: string
  readonly part: string
}

export interface GuardedAccount {
  readonly account: Account | null
  readonly ticket: GuardTicket
  readonly isAdmitted: boolean
}

/** The part of everybody whom an account does not know. */
const STRANGERS = 's'

const NOW = 'extract(epoch FROM now())::float8'
// No part has as many failures as would be left after so many days. The end, an indexed column, is a day later and moves once a
// day: an update that changes no indexed column writes to no index.
const DAYS_OF_UNKNOWN = 7

// The failures that count: where no mail can help the owner, they halve with every day without one. A parallel attempt that
// began later may have written the row: its time is ahead of this statement's.
function halvedSql (failures: string, at: string): string {
  return `(${failures} >> CASE WHEN :decays::bool THEN least(30, greatest(0, floor((${NOW} - ${at}) / 86400)))::int ELSE 0 END)`
}

// An account and an address without one alike, or the difference would tell who has an account.
const STRANGERS_NOW = halvedSql('guard.strangers', 'extract(epoch FROM guard.strangers_at)::float8')
const EACH_NOW = halvedSql('(value->>0)::int', '(value->>1)::float8')
const KNOWN_SUM = `(SELECT coalesce(sum(${EACH_NOW}), 0) FROM jsonb_each(guard.known))`
const KNOWN_PART = `coalesce((SELECT ${EACH_NOW} FROM jsonb_each(guard.known) WHERE key = excluded.last_part), 0)`
const KNOWN_LEFT = `(SELECT coalesce(jsonb_object_agg(key, value), '{}') FROM jsonb_each(guard.known) WHERE ${EACH_NOW} > 0)`
const BY_STRANGER = `excluded.last_part = '${STRANGERS}'`
const partSql = (part: string, failures: string) => `jsonb_build_object(${part}, jsonb_build_array(${failures}, floor(${NOW})))`

// One row an account, so that one conditional upsert decides: it waits for a parallel attempt, and then sees its failure.
function guardSql (attempt: string, columns: string): string {
  return `
    WITH attempt AS MATERIALIZED (${attempt}), guarded AS (
      INSERT INTO login_guards AS guard (subject, user_id, strangers, known, last_part, expires_at)
      SELECT subject, id, CASE WHEN part = '${STRANGERS}' THEN 1 ELSE 0 END, CASE WHEN part = '${STRANGERS}' THEN '{}' ELSE ${partSql('part', '1')} END, part,
        CASE WHEN id IS NULL THEN now() + interval '${DAYS_OF_UNKNOWN + 1} days' END
      FROM attempt
      ON CONFLICT (subject) DO UPDATE SET
        strangers = CASE WHEN ${BY_STRANGER} THEN ${STRANGERS_NOW} + 1 ELSE guard.strangers END,
        strangers_at = CASE WHEN ${BY_STRANGER} THEN now() ELSE guard.strangers_at END,
        known = CASE WHEN ${BY_STRANGER} THEN guard.known ELSE ${KNOWN_LEFT} || ${partSql('excluded.last_part', `${KNOWN_PART} + 1`)} END,
        last_part = excluded.last_part,
        expires_at = CASE WHEN guard.expires_at >= excluded.expires_at - interval '1 day' THEN guard.expires_at ELSE excluded.expires_at END
      WHERE ${STRANGERS_NOW} + ${KNOWN_SUM} < :most::int AND CASE WHEN ${BY_STRANGER} THEN ${STRANGERS_NOW} < :mostOfStrangers::int ELSE ${KNOWN_PART} < :mostOfKnown::int END
      RETURNING 1
    )
    SELECT ${columns}, subject, part, EXISTS (SELECT FROM guarded) AS "isAdmitted" FROM attempt`
}

// A device is known by its cookie, its token or its session, a network by a live session from there.
const RESERVE_BY_EMAIL = statement('login-guards.reserve', guardSql(`
  SELECT account.id, account.password_hash, account.email_verified, account.disabled_at, account.deletion_due_at, coalesce('u:' || account.id, :unknown) AS subject,
    CASE
      WHEN device IS NOT NULL THEN 'd:' || device
      WHEN :network::text IS NOT NULL AND EXISTS (SELECT FROM sessions WHERE user_id = account.id AND network = :network::text AND ${isLiveSql()}) THEN 'n:' || :network::text
      ELSE '${STRANGERS}'
    END AS part
  FROM (VALUES (1)) AS one LEFT JOIN users AS account ON account.email = :email
    LEFT JOIN LATERAL (SELECT device FROM unnest(:owners::text[], :devices::text[]) AS known(owner, device) WHERE owner = account.id::text LIMIT 1) AS known ON true`,
'id, password_hash AS "passwordHash", email_verified AS "emailVerified", disabled_at AS "disabledAt", deletion_due_at AS "deletionDueAt"'))

const RESERVE_BY_USER = statement('login-guards.reserve-for-user', guardSql(
  "SELECT id, 'u:' || id AS subject, :part AS part FROM users WHERE id = :userId::uuid", 'id'))

// Nothing is kept of a guard that counts nothing: attempts that are given back would leave rows without end. The row is locked
// first, and then read as it is now: a parallel failure may have been added.
function rewriteGuardSql (rewritten: string): [string, string, string] {
  const isNothing = "guard_now.strangers = 0 AND guard_now.known = '{}'"
  return [
    `guard_now AS MATERIALIZED (${rewritten} FOR UPDATE OF guard)`,
    `guard_deleted AS (DELETE FROM login_guards AS guard USING guard_now WHERE guard.subject = guard_now.subject AND ${isNothing})`,
    `guard_rewritten AS (UPDATE login_guards AS guard SET strangers = guard_now.strangers, known = guard_now.known FROM guard_now WHERE guard.subject = guard_now.subject AND NOT (${isNothing}))`
  ]
}

const GIVE_BACK = statement('login-guards.give-back', `
  WITH ${rewriteGuardSql(`
    SELECT subject, CASE WHEN :part::text = '${STRANGERS}' THEN greatest(0, strangers - 1) ELSE strangers END AS strangers,
      CASE
        WHEN known->:part::text IS NULL THEN known
        WHEN (known->:part::text->>0)::int <= 1 THEN known - :part::text
        ELSE known || jsonb_build_object(:part::text, jsonb_build_array((known->:part::text->>0)::int - 1, known->:part::text->1)) END AS known
    FROM login_guards AS guard WHERE subject = :subject`).join(', ')}
  SELECT`)

/**
 * SQL: common table expressions that clear one part of a guard, and delete the guard where nothing else is left of it. The
 * success of a known device clears the part of its network as well. Their parameters are `:guardSubject` and `:guardPart`, both
 * `null` where there is no guard, and `:networkTag`, `null` where it is not known.
 *
 * @param source nothing is cleared where this table has no row
 */
export function clearGuardSql (source: string): string[] {
  return rewriteGuardSql(`
    SELECT guard.subject, CASE WHEN :guardPart::text = '${STRANGERS}' THEN 0 ELSE guard.strangers END AS strangers,
      guard.known - :guardPart::text - CASE WHEN :guardPart::text LIKE 'd:%' THEN coalesce('n:' || :networkTag::text, '') ELSE '' END AS known
    FROM login_guards AS guard, ${source} WHERE guard.subject = :guardSubject::text`)
}

/** The failures of an account, all of them together, of strangers, and of each known device or network. */
export interface GuardLimits {
  most: number
  mostOfStrangers: number
  mostOfKnown: number
  /** Whether the failures of each part halve with every day without one: where there is no mail, by which an owner could reset the password. */
  decays: boolean
}

interface Row extends GuardTicket, Omit<Account, 'id'> {
  id: string | null
  isAdmitted: boolean
}

export type LoginGuardStore = ReturnType<typeof createLoginGuardStore>

/** The durable counters of consecutive failures. */
export function createLoginGuardStore ({ query }: Pick<Database, 'query'>, limits: GuardLimits) {
  return {
    /** Finds an account and reserves a failure, in one statement that takes as long where there is no such account. */
    async reserveByEmail ({ email, unknown, network, devices }: { email: string, unknown: string, network: string | null, devices: ReadonlyArray<{ owner: string, device: string }> }): Promise<GuardedAccount> {
      const values = { ...limits, email, unknown, network, owners: devices.map(({ owner }) => owner), devices: devices.map(({ device }) => device) }
      const reserve = () => query<Row>(RESERVE_BY_EMAIL, values)
      // Once more where the account was deleted meanwhile (23503): then there is none.
      const [row] = await reserve().catch((error: unknown) => errorCode(error) === '23503' ? reserve() : Promise.reject(error))
      if (row === undefined) throw new Error('A guard gave no row')
      const { id, subject, part, isAdmitted, ...account } = row
      return { account: id === null ? null : { id, ...account }, ticket: { subject, part }, isAdmitted }
    },

    /** Reserves a failure for an account. @returns `undefined` where there is no such account */
    async reserveByUser (userId: string, part: string): Promise<{ ticket: GuardTicket, isAdmitted: boolean } | undefined> {
      const [row] = await query<GuardTicket & { isAdmitted: boolean }>(RESERVE_BY_USER, { ...limits, userId, part })
      return row && { ticket: { subject: row.subject, part: row.part }, isAdmitted: row.isAdmitted }
    },

    async giveBack ({ subject, part }: GuardTicket): Promise<void> {
      await query(GIVE_BACK, { subject, part })
    }
  }
}

/** Clears all failures of an account: its owner has proved more than a password, or an admin vouches for them. */
export async function clearLoginGuard (tx: Pick<DbTransaction, 'loginGuard'>, userId: string): Promise<void> {
  await tx.loginGuard.deleteMany({ where: { userId } })
}

/** Deletes guards that have expired. Those that count nothing were deleted when they came to. */
export function createLoginGuardPurge (database: Pick<Database, 'query'>) {
  return createPurgeBatch(database, {
    what: 'login-guards',
    table: 'login_guards',
    key: 'subject',
    expired: 'SELECT subject FROM login_guards WHERE (SELECT turn FROM mine) AND expires_at IS NOT NULL AND expires_at < now() ORDER BY expires_at LIMIT :limit FOR UPDATE SKIP LOCKED'
  })
}
