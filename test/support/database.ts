import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import type { Test } from 'tap'
import type { Database, DatabaseOptions, Log } from '../../src/database/database.ts'
import { openDatabase } from '../../src/database/open.ts'
import { copyOfCluster, stateOfMigrations } from './cluster-template.ts'
import { openInMemory } from './in-memory.ts'

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
  return { url: await copyOfTemplate(t, databaseUrl), dataDir: await temporaryDirectory(t) }
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
  return createCopy(t, databaseUrl ?? '', 'template0')
}

/** A directory that is gone when the test ends. */
export async function temporaryDirectory (t: Test): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'countersign-test-'))
  t.teardown(() => rm(directory, { recursive: true, force: true }))
  return directory
}

/** Runs statements on a Postgres over a connection of its own. */
export async function onServer<T> (url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url })
  client.on('error', () => {})
  await client.connect()
  try {
    return await work(client)
  } finally {
    await client.end()
  }
}

async function copyOfTemplate (t: Test, url: string) {
  const template = `countersign_template_${await stateOfMigrations()}`
  await ensureTemplate(url, template)
  return createCopy(t, url, template)
}

async function createCopy (t: Test, url: string, template: string) {
  const name = `countersign_test_${randomBytes(6).toString('hex')}`
  await onServer(url, server => server.query(`CREATE DATABASE ${name} TEMPLATE ${template}`))
  t.teardown(() => onServer(url, server => server.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`)))
  return databaseOf(url, name)
}

// Test files run in parallel, and each may be the first. The template gets its name only when it is complete.
async function ensureTemplate (url: string, template: string) {
  await onServer(url, async server => {
    await server.query('SELECT pg_advisory_lock(hashtext($1))', [template])
    const { rowCount } = await server.query('SELECT 1 FROM pg_database WHERE datname = $1', [template])
    if (rowCount) return
    const unfinished = `${template}_unfinished`
    await server.query(`DROP DATABASE IF EXISTS ${unfinished} WITH (FORCE)`)
    await server.query(`CREATE DATABASE ${unfinished}`)
    const database = await openDatabase({ url: databaseOf(url, unfinished), dataDir: '', log: silent })
    await database.close()
    await server.query(`ALTER DATABASE ${unfinished} RENAME TO ${template}`)
  })
}

function databaseOf (url: string, name: string) {
  const other = new URL(url)
  other.pathname = `/${name}`
  return other.href
}
