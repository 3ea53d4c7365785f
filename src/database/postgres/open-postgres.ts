import { PrismaPg } from '@prisma/adapter-pg'
import pg from 'pg'
import { columnParser } from '../column-parsers.ts'
import type { Database, DatabaseOptions } from '../database.ts'
import { createPrismaClient } from '../prisma-client.ts'
import { bindValues, type Statement, type StatementValues } from '../statement.ts'
import { withTimeout } from '../with-timeout.ts'
import { connectionSettings } from './connection-settings.ts'
import { explainStartFailure } from './explain-start-failure.ts'
import { listenPostgres } from './listen.ts'
import { migratePostgres } from './migrate-postgres.ts'
import { createStatementNames } from './statement-names.ts'

const TYPES: pg.CustomTypesConfig = {
  getTypeParser: (oid, format) => columnParser(oid) ?? pg.types.getTypeParser(oid, format)
}

export async function openPostgres (url: string, { pool: limits = {}, migrate, log }: DatabaseOptions): Promise<Database> {
  const { max = 10, acquireTimeoutMs = 2_000, statementTimeoutMs = 3_000 } = limits
  const settings = connectionSettings(url, statementTimeoutMs)
  const migrated = migrate === false ? [] : await migratePostgres(url, log)

  const pool = new pg.Pool({
    ...settings.config,
    max,
    connectionTimeoutMillis: acquireTimeoutMs,
    // The server cancels a statement that runs too long; this gives up on one whose answer never comes.
    query_timeout: statementTimeoutMs + 1_000
  })
  pool.on('error', error => log.warn({ err: error }, 'idle database connection lost'))
  // A transaction whose query timed out is released to the pool while that query is still running.
  pool.on('release', (_error, client) => {
    if (client.getTransactionStatus() !== 'I') client.end().catch(() => {})
  })
  await pool.query('SELECT 1').catch(async (error: unknown) => {
    await pool.end()
    throw explainStartFailure(error, settings)
  })

  const prisma = createPrismaClient(new PrismaPg(pool, {
    statementNameGenerator: createStatementNames(),
    ...(settings.schema === undefined ? {} : { schema: settings.schema })
  }))

  let closing: Promise<void> | undefined
  return {
    engine: 'postgres',
    prisma,
    migrated,
    async query<Row> (statement: Statement, values: StatementValues) {
      const { name, text } = statement
      const result = await pool.query<Row & pg.QueryResultRow>({ name, text, values: bindValues(statement, values), types: TYPES })
      return result.rows
    },
    listen: (channel, listener) => listenPostgres(settings, channel, listener),
    explainStart: error => explainStartFailure(error, settings),
    async ping () {
      await withTimeout(1_000, pool.query('SELECT 1'))
    },
    close () {
      closing ??= prisma.$disconnect().then(() => pool.end())
      return closing
    }
  }
}
