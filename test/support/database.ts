import { execFile } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { access, mkdtemp, rename, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import pg from 'pg'
import type { Test } from 'tap'
import type { Database, DatabaseOptions, Log } from '../../src/database/database.ts'
import { readMigrations } from '../../src/database/migration-files.ts'
import { openDatabase } from '../../src/database/open-database.ts'

const run = promisify(execFile)

/** The Postgres the suite runs on, as a role that may create databases; without it, it runs on the embedded engine. */
export const databaseUrl = process.env.DATABASE_URL

/** For tests that mean nothing on the embedded engine: `t.test(name, onPostgres, …)`. */
export const onPostgres = databaseUrl === undefined ? { skip: 'needs PostgreSQL: set DATABASE_URL' } : {}

export const silent: Log = { info () {}, warn () {}, error () {} }

/** What `openDatabase` needs for a fresh, migrated database of this test's own, which is gone when the test ends. */
export async function testDatabase (t: Test): Promise<Pick<DatabaseOptions, 'url' | 'dataDir'>> {
  if (databaseUrl === undefined) return { dataDir: await copyOfCluster(t) }
  return { url: await copyOfTemplate(t, databaseUrl), dataDir: await temporaryDirectory(t) }
}

/** Such a database, opened, and closed when the test ends. */
export async function openTestDatabase (t: Test, options: Partial<DatabaseOptions> = {}): Promise<Database> {
  const database = await openDatabase({ ...await testDatabase(t), log: silent, ...options })
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

// Likewise: made aside by each that finds it missing, and the first to rename it wins.
async function copyOfCluster (t: Test) {
  const prepared = fileURLToPath(new URL(`../../embedded-template-${await stateOfMigrations()}`, import.meta.url))
  if (!await access(prepared).then(() => true, () => false)) {
    const aside = await mkdtemp(`${prepared}-`)
    const database = await openDatabase({ dataDir: aside, log: silent })
    await database.close()
    await rename(aside, prepared).catch(() => rm(aside, { recursive: true }))
  }
  const dataDir = await temporaryDirectory(t)
  // Node's own copying of a thousand files takes four times as long.
  await run('cp', ['-R', `${prepared}/.`, dataDir])
  return dataDir
}

async function stateOfMigrations () {
  const hash = createHash('sha256')
  for (const { name, checksum } of await readMigrations()) hash.update(`${name} ${checksum}\n`)
  return hash.digest('hex').slice(0, 12)
}

function databaseOf (url: string, name: string) {
  const other = new URL(url)
  other.pathname = `/${name}`
  return other.href
}
