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
import { createPools, type PgQuery } from './pools.ts'
import { createStatementNames } from './statement-names.ts'

const TYPES: pg.CustomTypesConfig = {
  getTypeParser: (oid, format) => columnParser(oid) ?? pg.types.getTypeParser(oid, format)
}

export async function openPostgres (url: string, { directUrl = url, pool: limits = {}, migrate, log }: DatabaseOptions): Promise<Database> {
  const { max = 10, acquireTimeoutMs = 2_000, statementTimeoutMs = 3_000 } = limits
  const settings = connectionSettings(url)
  const migrated = migrate === false ? [] : await migratePostgres(directUrl, log)

  const pools = createPools(settings, { max, acquireTimeoutMs, statementTimeoutMs, perTransaction: directUrl !== url }, log)
  await pools.query({ text: 'SELECT 1' }).catch(async (error: unknown) => {
    await pools.end()
    throw explainStartFailure(error, settings)
  })

  const prisma = createPrismaClient(new PrismaPg(pools.forPrisma, {
    statementNameGenerator: createStatementNames(),
    ...(settings.schema === undefined ? {} : { schema: settings.schema })
  }))

  let closing: Promise<void> | undefined
  let pinging: Promise<void> | undefined
  return {
    engine: 'postgres',
    prisma,
    migrated,
    query: async <Row>(statement: Statement, values: StatementValues) => (await pools.query<Row & pg.QueryResultRow>(toQuery(statement, values))).rows,
    queryReserved: async <Row>(statement: Statement, values: StatementValues) => (await pools.queryReserved<Row & pg.QueryResultRow>(toQuery(statement, values))).rows,
    listen: (channel, listener) => listenPostgres(connectionSettings(directUrl), channel, listener),
    explainStart: error => explainStartFailure(error, settings),
    ping () {
      // Whoever asks meanwhile gets the same answer: anybody may ask, and the ledger's reads go by these connections too.
      pinging ??= pools.assertWritable().finally(() => { pinging = undefined })
      return withTimeout(1_000, pinging)
    },
    close () {
      closing ??= prisma.$disconnect().then(() => pools.end())
      return closing
    }
  }
}

function toQuery (statement: Statement, values: StatementValues): PgQuery {
  const { name, text } = statement
  return { name, text, values: bindValues(statement, values), types: TYPES }
}
