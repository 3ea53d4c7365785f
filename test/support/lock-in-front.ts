import { onServer } from './postgres.ts'
import { until } from './until.ts'
import type { TestService } from './service.ts'

/**
 * Makes a change in a transaction, and commits it when a request waits for its locks: so that the request has looked before
 * the change, and acts after it. On Postgres alone.
 */
export async function commitInFrontOf<T> ({ config }: Pick<TestService, 'config'>, change: readonly [sql: string, ...values: unknown[]], request: () => Promise<T>): Promise<T> {
  return await onServer(config.databaseUrl ?? '', async client => {
    const [sql, ...values] = change
    await client.query('BEGIN')
    await client.query(sql, values)
    const answer = request()
    await until(async () => {
      // Within a transaction, who is connected would be seen once, and then remembered.
      await client.query('SELECT pg_stat_clear_snapshot()')
      const { rowCount } = await client.query('SELECT FROM pg_stat_activity WHERE pg_backend_pid() = ANY (pg_blocking_pids(pid))')
      return rowCount !== 0
    })
    await client.query('COMMIT')
    return await answer
  })
}
