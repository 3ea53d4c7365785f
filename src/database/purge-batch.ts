import type { Database } from './database.ts'
import type { PurgeBatch } from './purge-job.ts'

// The second key of an advisory lock: of the instances, one at a time purges each of these.
const TURNS = { revocations: 1, sessions: 2, 'one-time': 3, audit: 4 } as const

/** What is purged. */
export interface Purge {
  what: keyof typeof TURNS
  table: string
  /** The column that tells rows apart. */
  key: string
  /** SQL: selects the `key` of at most `$1` rows that are over, and of none unless `(SELECT turn FROM mine)`. */
  over: string
  /** The values of `$2` and on. */
  values?: readonly unknown[]
}

/** @returns what deletes a batch of rows that are over, unless another instance is at it */
export function createPurgeBatch ({ query }: Pick<Database, 'query'>, { what, table, key, over, values = [] }: Purge): PurgeBatch {
  const statement = {
    name: `${what}.purge`,
    text: `
      WITH mine AS MATERIALIZED (SELECT pg_try_advisory_xact_lock(hashtext('countersign purge'), ${TURNS[what]}) AS turn),
        over AS (${over}),
        gone AS (DELETE FROM ${table} WHERE ${key} IN (SELECT ${key} FROM over) RETURNING 1)
      SELECT count(*)::int AS count FROM gone`
  }

  return async limit => {
    const [row] = await query<{ count: number }>(statement, [limit, ...values])
    return row?.count ?? 0
  }
}
