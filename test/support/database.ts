import type { Test } from 'tap'
import type { Database, DatabaseOptions, Log } from '../../src/database/database.ts'
import { openDatabase } from '../../src/database/open-database.ts'
import { copyOfCluster } from './cluster-template.ts'
import { openInMemory } from './in-memory.ts'
import { createDatabase, databaseOf, dropDatabase, migratedPostgres } from './postgres.ts'
import { temporaryDirectory } from './temporary-directory.ts'

export { onServer } from './postgres.ts'
export { temporaryDirectory }

/** The Postgres the suite runs on, as a role that may create databases; without it, it runs on the embedded engine. */
export const databaseUrl = process.env.DATABASE_URL

/** For tests that mean nothing on the embedded engine: `t.test(name, onPostgres, …)`. */
export const onPostgres = databaseUrl === undefined ? { skip: 'needs PostgreSQL: set DATABASE_URL' } : {}

export const silent: Log = { info () {}, warn () {}, error () {} }

/**
 * What `openDatabase` needs for a fresh, migrated database of this test's own, which is gone when the test ends. On the
 * embedded engine that is a directory, for what opens it again or in another process; `openTestDatabase` is faster.
 */
export async function testDatabase (t: Test): Promise<Pick<DatabaseOptions, 'url' | 'dataDir'>> {
  if (databaseUrl === undefined) return { dataDir: await copyOfCluster(t) }
  return { url: await migratedPostgres(t, databaseUrl), dataDir: await temporaryDirectory(t) }
}

/** A fresh, migrated database of this test's own, opened, and closed when the test ends; in memory where it may be. */
export async function openTestDatabase (t: Test, options: Partial<DatabaseOptions> = {}): Promise<Database> {
  const isInMemory = databaseUrl === undefined && options.url === undefined && options.dataDir === undefined
  const database = isInMemory ? await openInMemory(t) : await openDatabase({ ...await testDatabase(t), log: silent, ...options })
  t.teardown(() => database.close())
  return database
}

/** An empty Postgres database of this test's own: no tables at all. */
export async function emptyPostgres (t: Test): Promise<string> {
  const url = databaseUrl ?? ''
  const name = await createDatabase(url, 'template0')
  t.teardown(() => dropDatabase(url, name))
  return databaseOf(url, name)
}
