import type { Database } from './database.ts'
import type { PurgeBatch } from './purge-job.ts'
import { statement } from './statement.ts'

// The second key of an advisory lock: of the instances, one at a time purges each of these.
const TURNS = { revocations: 1, sessions: 2, 'one-time': 3, audit: 4, attempts: 5, 'login-guards': 6, outbox: 7, 'email-holds': 8 } as const

/** Which rows are purged. */
export interface Purge {
  what: keyof typeof TURNS
  table: string
  /** The column that identifies a row. */
  key: string
  /**
   * SQL: selects the `key` of at most `:limit` expired rows, and of none unless `(SELECT turn FROM mine)`. In the order of an
   * index: without one a plan may look for them in the whole table, as if there were many, when there is none.
   */
  expired: string
  /** The values of the other parameters of `expired`. */
  values?: Readonly<Record<string, unknown>>
}

/**
 * SQL: when a row expires, in the form of which there is an index that no other statement can use. One on the column would tempt
 * a plan that knows nothing of the values to combine it with another, and read all rows that have not expired.
 */
export function purgeTimeSql (column: string): string {
  return `(${column} AT TIME ZONE 'UTC')`
}

/** @returns a function that deletes a batch of expired rows, unless another instance is purging them */
export function createPurgeBatch ({ query }: Pick<Database, 'query'>, { what, table, key, expired, values }: Purge): PurgeBatch {
  const purge = statement(`${what}.purge`, `
    WITH mine AS MATERIALIZED (SELECT pg_try_advisory_xact_lock(hashtext('countersign purge'), ${TURNS[what]}) AS turn),
      expired AS (${expired}),
      deleted AS (DELETE FROM ${table} WHERE ${key} = ANY (ARRAY(SELECT ${key} FROM expired)) RETURNING 1)
    SELECT count(*)::int AS count FROM deleted`)

  return async limit => {
    const [row] = await query<{ count: number }>(purge, { ...values, limit })
    return row?.count ?? 0
  }
}
