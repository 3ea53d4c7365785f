import pg from 'pg'
import type { Log } from '../database.ts'
import { migrate } from '../migrate.ts'
import type { MigrationSession } from '../migrate.ts'
import { readMigrations } from '../migration-files.ts'
import { connectionSettings, quoteIdentifier, sessionSql } from './connection-settings.ts'
import { explainStartFailure } from './explain-start-failure.ts'

/**
 * Applies the pending migrations on a connection of its own: a migration may take longer than a request may.
 * @returns the names of the applied migrations
 * @throws {DatabaseStartError}
 */
export async function migratePostgres (url: string, log: Log, directory?: URL): Promise<string[]> {
  const settings = connectionSettings(url)
  const migrations = await readMigrations(directory)
  const client = new pg.Client({ ...settings.config, connectionTimeoutMillis: 5_000 })
  // An error of the connection also rejects the statement that waits on it.
  client.on('error', () => {})
  try {
    await client.connect()
    await client.query(sessionSql(settings, { statementTimeoutMs: 0, lockTimeoutMs: 0 }))
    if (settings.schema !== undefined) await ensureSchema(client, settings.schema)
    return await migrate(sessionOver(client), migrations, log)
  } catch (error) {
    throw explainStartFailure(error, settings)
  } finally {
    await client.end().catch(() => {})
  }
}

function sessionOver (client: pg.Client): MigrationSession {
  return {
    async rows<Row> (text: string, values: readonly unknown[] = []) {
      const result = await client.query<Row & pg.QueryResultRow>(text, [...values])
      return result.rows
    },
    async script (sql) {
      await client.query(sql)
    }
  }
}

// CREATE SCHEMA IF NOT EXISTS requires the right to create even where the schema exists.
async function ensureSchema (client: pg.Client, schema: string) {
  const { rows } = await client.query('SELECT 1 FROM pg_namespace WHERE nspname = $1', [schema])
  if (rows.length === 0) await client.query(`CREATE SCHEMA IF NOT EXISTS ${quoteIdentifier(schema)}`)
}
