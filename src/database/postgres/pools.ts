import pg from 'pg'
import type { Log } from '../database.ts'
import { DatabaseReadOnly, DatabaseUnavailable } from '../errors.ts'
import { sessionSql, transactionSql, type ConnectionSettings } from './connection-settings.ts'

export interface PoolLimits {
  /** Most connections for requests. */
  max: number
  acquireTimeoutMs: number
  statementTimeoutMs: number
  /** Whether a pooler gives each transaction any connection, so that each sets for itself what a connection would have set. */
  perTransaction: boolean
}

/** A statement as `pg` takes it. */
export type PgQuery = pg.QueryConfig & { rowMode?: string }

// How long a statement holds one of the many connections while it waits for a lock, in ms.
const FIRST_LOCK_WAIT = 50
// For the reads of the ledger and for the health check.
const RESERVED = 2
const RESERVED_TIMEOUT = 2_000
// Whoever keeps a connection for ever keeps one to a primary that another has replaced.
const LIFETIME = 300
// In ms: a database that stays read-only is not connected to anew by every statement.
const RENEWAL_PAUSE = 1_000

/**
 * The connections of a process, in three pools, so that what waits keeps nobody else from being served:
 *
 * - `statements`, most of them, for single statements. One that finds a row or a table locked gives its connection back
 *   after 50 ms;
 * - `waiting`, two fifths, where it waits for that lock, for a third of the time that a statement may take. Transactions are
 *   here from the start, for they hold locks;
 * - `reserved`, two more, for the reads of the ledger and the health check.
 */
export function createPools (settings: ConnectionSettings, { max, acquireTimeoutMs, statementTimeoutMs, perTransaction }: PoolLimits, log: Pick<Log, 'warn'>) {
  const opened = new WeakMap<pg.ClientBase, number>()
  const begins = new WeakMap<pg.Pool, string>()
  let renewedAt = -Infinity
  const waiters = Math.max(1, Math.floor(max * 0.4))

  function createPool (size: number, limits: { acquireTimeoutMs: number, statementTimeoutMs: number, lockTimeoutMs: number }): pg.Pool {
    const setUp = sessionSql(settings, limits)
    const pool = new pg.Pool({
      ...settings.config,
      max: size,
      connectionTimeoutMillis: limits.acquireTimeoutMs,
      maxLifetimeSeconds: LIFETIME,
      // The server cancels a statement that runs too long; this gives up on one whose answer never comes.
      query_timeout: limits.statementTimeoutMs + 1_000,
      onConnect: async client => {
        if (!perTransaction) await client.query(setUp)
        opened.set(client, performance.now())
      }
    })
    begins.set(pool, transactionSql(settings, limits))
    pool.on('error', error => log.warn({ err: error }, 'idle database connection lost'))
    // A transaction whose query timed out is released to the pool while that query is still running.
    pool.on('release', (_error, client) => {
      if (client.getTransactionStatus() !== 'I') client.end().catch(() => {})
    })
    return pool
  }

  const lockTimeoutMs = Math.ceil(statementTimeoutMs / 3)
  const statements = createPool(Math.max(1, max - waiters), { acquireTimeoutMs, statementTimeoutMs, lockTimeoutMs: Math.min(FIRST_LOCK_WAIT, lockTimeoutMs) })
  const waiting = createPool(waiters, { acquireTimeoutMs, statementTimeoutMs, lockTimeoutMs })
  const reserved = createPool(RESERVED, { acquireTimeoutMs: RESERVED_TIMEOUT, statementTimeoutMs: RESERVED_TIMEOUT, lockTimeoutMs })

  /**
   * Whatever keeps a connection from opening is an outage: that the database is closed for upkeep, or has another password. No
   * request can mend it, and a later one may succeed.
   */
  async function acquire (pool: pg.Pool): Promise<pg.PoolClient> {
    try {
      for (;;) {
        const client = await pool.connect()
        if ((opened.get(client) ?? 0) >= renewedAt) return client
        client.release(true)
      }
    } catch (error) {
      throw new DatabaseUnavailable('No connection to the database could be opened.', { cause: error })
    }
  }

  // A server that turned read-only has another in its place, which new connections may find.
  function renewAll (): void {
    if (performance.now() - renewedAt > RENEWAL_PAUSE) renewedAt = performance.now()
  }

  // Unlike the pool's own `query`, it keeps the connection where only the statement failed.
  async function runOn<Row extends pg.QueryResultRow> (pool: pg.Pool, statement: PgQuery): Promise<pg.QueryResult<Row>> {
    const client = await acquire(pool)
    // The statement is rejected too.
    const onError = (): void => {}
    client.on('error', onError)
    try {
      const result = perTransaction ? await runInTransaction<Row>(client, begins.get(pool), statement) : await client.query<Row>(statement)
      client.release()
      return result
    } catch (error) {
      if (isDatabaseError(error) && error.code === READ_ONLY) renewAll()
      client.release(isFailureOfConnection(error))
      throw error
    } finally {
      client.removeListener('error', onError)
    }
  }

  /** Runs one statement, which may wait for a lock where that delays no other. */
  async function query<Row extends pg.QueryResultRow> (statement: PgQuery): Promise<pg.QueryResult<Row>> {
    try {
      return await runOn<Row>(statements, statement)
    } catch (error) {
      // It was rolled back as a whole.
      if (!isDatabaseError(error) || error.code !== LOCK_NOT_AVAILABLE) throw error
      return runOn<Row>(waiting, statement)
    }
  }

  return {
    query,
    /** The same on the connections that requests do not use. */
    queryReserved: <Row extends pg.QueryResultRow>(statement: PgQuery) => runOn<Row>(reserved, statement),
    /** @throws DatabaseReadOnly */
    async assertWritable (): Promise<void> {
      const { rows: [row] } = await runOn<{ setting: string }>(reserved, { text: "SELECT current_setting('transaction_read_only') AS setting" })
      if (row?.setting === 'off') return
      renewAll()
      throw new DatabaseReadOnly('The database is read-only.')
    },
    /** What Prisma takes for one pool. */
    forPrisma: Object.assign(Object.create(statements) as pg.Pool, { query, connect: async () => perTransaction ? beginningWith(await acquire(waiting), begins.get(waiting)) : acquire(waiting) }),
    async end (): Promise<void> {
      await Promise.all([statements, waiting, reserved].map(pool => pool.end()))
    }
  }
}

/** Runs one statement in a transaction of its own. */
async function runInTransaction<Row extends pg.QueryResultRow> (client: pg.PoolClient, begin = 'BEGIN', statement: PgQuery): Promise<pg.QueryResult<Row>> {
  await client.query(begin)
  try {
    const result = await client.query<Row>(statement)
    await client.query('COMMIT')
    return result
  } catch (error) {
    // A connection that is lost has rolled back, and one that is still in a transaction is given up when it is released.
    if (!isFailureOfConnection(error)) await client.query('ROLLBACK').catch(() => {})
    throw error
  }
}

/** A client as Prisma takes it, whose transactions begin with more than it says. */
function beginningWith (client: pg.PoolClient, begin = 'BEGIN'): pg.PoolClient {
  return new Proxy(client, {
    get (target, name) {
      const value: unknown = Reflect.get(target, name)
      if (typeof value !== 'function') return value
      if (name !== 'query') return value.bind(target) as unknown
      return (query: PgQuery, ...rest: []) => query.text === 'BEGIN' ? target.query(begin) : target.query(query, ...rest)
    }
  })
}

const LOCK_NOT_AVAILABLE = '55P03'
const READ_ONLY = '25006'

function isDatabaseError (error: unknown): error is pg.DatabaseError {
  return error instanceof pg.DatabaseError
}

// Of the connection, and not of the statement alone.
function isFailureOfConnection (error: unknown): boolean {
  return !isDatabaseError(error) || error.severity !== 'ERROR'
}
