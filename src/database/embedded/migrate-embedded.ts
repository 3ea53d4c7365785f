import type { PGlite } from '@electric-sql/pglite'
import type { Log } from '../database.ts'
import { migrate } from '../migrate.ts'
import { readMigrations } from '../migration-files.ts'

/**
 * Applies the pending migrations, before anything else uses the engine: it has one connection only.
 * @returns the names of the applied migrations
 * @throws {DatabaseStartError}
 */
export async function migrateEmbedded (engine: PGlite, log: Log, directory?: URL): Promise<string[]> {
  const session = {
    async rows<Row> (text: string, values: readonly unknown[] = []) {
      return (await engine.query<Row>(text, [...values])).rows
    },
    async script (sql: string) {
      await engine.exec(sql)
    }
  }
  const applied = await migrate(session, await readMigrations(directory), log)
  // The engine loads array types when it opens, and a migration may have added some.
  if (applied.length > 0) await engine.refreshArrayTypes()
  return applied
}
