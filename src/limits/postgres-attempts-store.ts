import type { Database } from '../database/database.ts'
import { createPurgeBatch } from '../database/purge-batch.ts'
import { statement } from '../database/statement.ts'
import { errorCode } from '../config/error-code.ts'
import { DELAY_PERIOD, FIRST_DELAYED_HIT, MAX_DELAY, retention, type AttemptKey, type AttemptStore, type KeyState } from './attempt-store.ts'

// How often a statement begins anew that met another one under a new key: each time the other has stored a key. A success may
// delete it again, so that one statement can meet several in a row.
const MAX_TRIES = 100

// A row expires, an indexed column, when twice the time has passed that its hits matter, and moves only once that is no longer
// enough: an update that changes no indexed column writes to no index.
const KEPT_FOR = 2

// The stamps of a row are in order, so width_bucket finds by a binary search how many are older than a time.
const olderThan = (age: string) => `width_bucket(now - ${age}, stamps)`

// Rows are locked in the order of the keys, and then read as they are now: FOR UPDATE waits for an attempt that came first and
// returns what it wrote. The time is taken after that. A row that another attempt adds meanwhile is not seen, but refuses the
// INSERT, and with it the whole statement, which then begins anew.
const RESERVE = statement('attempts.reserve', `
  WITH wanted AS MATERIALIZED (
    SELECT * FROM unnest(:keys::text[], :delayed::bool[], :kept::float8[]) WITH ORDINALITY AS wanted(key, delayed, kept, n)
  ), locked AS MATERIALIZED (
    SELECT wanted.n, attempts.stamps FROM wanted JOIN attempts ON attempts.key = wanted.key ORDER BY wanted.n FOR UPDATE OF attempts
  ), clock AS MATERIALIZED (
    SELECT extract(epoch FROM clock_timestamp())::float8 AS now FROM (SELECT count(*) FROM locked) AS locks
  ), counted AS MATERIALIZED (
    SELECT n, key, delayed, kept, now, locked.n IS NOT NULL AS found, coalesce(stamps, '{}') AS stamps FROM wanted LEFT JOIN locked USING (n), clock
  ), judged AS MATERIALIZED (
    SELECT n, position, greatest(0, stamps[cardinality(stamps) - max_hits + 1] + seconds - now) AS wait,
      cardinality(stamps) - ${olderThan('seconds')} AS used, stamps[${olderThan('seconds')} + 1] + seconds - now AS frees_in
    FROM unnest(:windowOf::int[], :limits::int[], :seconds::float8[]) WITH ORDINALITY AS windows(n, max_hits, seconds, position) JOIN counted USING (n)
  ), delays AS MATERIALIZED (
    SELECT n, CASE WHEN lately >= ${FIRST_DELAYED_HIT} THEN greatest(0, stamps[cardinality(stamps)] + least(${MAX_DELAY}, power(2, lately - ${FIRST_DELAYED_HIT})) - now) ELSE 0 END AS wait
    FROM counted, LATERAL (SELECT cardinality(stamps) - ${olderThan(`${DELAY_PERIOD}`)} AS lately) AS hits
    WHERE delayed
  ), admitted AS MATERIALIZED (
    SELECT n, key, kept, now, found, stamps[${olderThan('kept')} + 1:] AS before, greatest(now, stamps[cardinality(stamps)] + 1e-6) AS stamp FROM counted
    WHERE NOT EXISTS (SELECT FROM judged WHERE wait > 0) AND NOT EXISTS (SELECT FROM delays WHERE wait > 0)
  ), added AS (
    INSERT INTO attempts (key, stamps, expires_at)
    SELECT key, ARRAY[stamp], to_timestamp(now + ${KEPT_FOR} * kept) FROM admitted WHERE NOT found ORDER BY n
  ), updated AS (
    UPDATE attempts SET stamps = before || stamp, expires_at = CASE WHEN expires_at >= to_timestamp(now + kept) THEN expires_at ELSE to_timestamp(now + ${KEPT_FOR} * kept) END
    FROM admitted WHERE attempts.key = admitted.key AND found
  )
  SELECT judged.n::int AS n, judged.wait, used, frees_in AS "freesIn", delays.wait AS delay, admitted.stamp
  FROM judged LEFT JOIN delays USING (n) LEFT JOIN admitted USING (n)
  ORDER BY position`)

// Nothing is kept of a key without hits: attempts that are given back would leave rows without end. The rows are locked in the
// order of an attempt's, in a table of its own, for the statements that write run in any order.
function withdrawSql (withdrawn: string, isForgotten: string): [string, string, string] {
  const isNothing = `(${isForgotten} OR cardinality(array_remove(hits.stamps, hits.stamp)) = 0)`
  return [
    `hits AS MATERIALIZED (${withdrawn} ORDER BY wanted.n FOR UPDATE OF attempts)`,
    `hits_deleted AS (DELETE FROM attempts USING hits WHERE attempts.key = hits.key AND ${isNothing})`,
    `hits_returned AS (UPDATE attempts SET stamps = array_remove(hits.stamps, hits.stamp) FROM hits WHERE attempts.key = hits.key AND NOT ${isNothing})`
  ]
}

const GIVE_BACK = statement('attempts.give-back', `
  WITH ${withdrawSql(`
    SELECT attempts.key, attempts.stamps, wanted.stamp
    FROM unnest(:keys::text[], :stamps::float8[]) WITH ORDINALITY AS wanted(key, stamp, n) JOIN attempts ON attempts.key = wanted.key`, 'false').join(', ')}
  SELECT`)

const FORGET = statement('attempts.forget', `
  WITH hits AS MATERIALIZED (
    SELECT attempts.key FROM unnest(:keys::text[]) WITH ORDINALITY AS wanted(key, n) JOIN attempts ON attempts.key = wanted.key ORDER BY wanted.n FOR UPDATE OF attempts
  )
  DELETE FROM attempts USING hits WHERE attempts.key = hits.key`)

interface Judged {
  /** The position of the key, from 1. */
  n: number
  wait: number
  used: number
  freesIn: number | null
  delay: number | null
  /** `null` where the attempt was refused. */
  stamp: number | null
}

/** Counts attempts in Postgres, which all instances share. */
export function createPostgresAttempts ({ query }: Pick<Database, 'query'>): AttemptStore {
  async function judge (keys: readonly AttemptKey[]): Promise<Judged[]> {
    const windows = keys.flatMap(({ windows }, index) => windows.map(window => ({ ...window, of: index + 1 })))
    const values = {
      keys: keys.map(({ key }) => key),
      delayed: keys.map(({ isDelayed }) => isDelayed),
      kept: keys.map(retention),
      windowOf: windows.map(({ of }) => of),
      limits: windows.map(({ limit }) => limit),
      seconds: windows.map(({ seconds }) => seconds)
    }
    for (let tries = 1; ; tries++) {
      try {
        return await query<Judged>(RESERVE, values)
      } catch (error) {
        if (tries === MAX_TRIES || !hasMetAnother(error)) throw error
      }
    }
  }

  const store: AttemptStore = {
    isDatabase: true,

    async reserve (keys) {
      const rows = await judge(keys)
      return { isAdmitted: rows.every(({ stamp }) => stamp !== null), keys: keys.map((key, index) => toState(key, rows.filter(({ n }) => n === index + 1))), store }
    },

    async giveBack (hits) {
      await query(GIVE_BACK, { keys: hits.map(({ key }) => key), stamps: hits.map(({ stamp }) => stamp) })
    },

    async forget (keys) {
      await query(FORGET, { keys })
    }
  }
  return store
}

function toState ({ windows }: AttemptKey, rows: readonly Judged[]): KeyState {
  const [first] = rows
  const stamp = first?.stamp ?? null
  const own = stamp === null ? 0 : 1
  return {
    wait: Math.max(0, first?.delay ?? 0, ...rows.map(({ wait }) => wait)),
    windows: windows.map(({ seconds }, index) => {
      const { used, freesIn } = rows[index] ?? { used: 0, freesIn: null }
      return { used: used + own, freesIn: freesIn ?? seconds }
    }),
    stamp: stamp ?? 0
  }
}

// A key was added (23505) or, where the keys of two statements cross, both waited for each other (40P01).
function hasMetAnother (error: unknown): boolean {
  const code = errorCode(error)
  return code === '23505' || code === '40P01'
}

/**
 * SQL: common table expressions that give one hit back and forget all hits of another key, and lock the two in this order, which
 * is that of an attempt. Their parameters are those of `Settlement`.
 *
 * @param source nothing changes where this table has no row
 */
export function settleAttemptsSql (source: string): string[] {
  return withdrawSql(`
    SELECT attempts.key, attempts.stamps, wanted.stamp, wanted.n
    FROM ${source}, (VALUES (:returnedKey::text, :returnedStamp::float8, 1), (:forgottenKey::text, NULL, 2)) AS wanted(key, stamp, n), attempts
    WHERE attempts.key = wanted.key`, 'hits.n = 2')
}

/** Deletes keys whose hits have all left their windows. */
export function createAttemptPurge (database: Pick<Database, 'query'>) {
  return createPurgeBatch(database, {
    what: 'attempts',
    table: 'attempts',
    key: 'key',
    // Locked, for an attempt may be about to write the row anew.
    expired: 'SELECT key FROM attempts WHERE expires_at < now() AND (SELECT turn FROM mine) ORDER BY expires_at LIMIT :limit FOR UPDATE SKIP LOCKED'
  })
}
