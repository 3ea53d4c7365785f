import { randomBytes } from 'node:crypto'
import pg from 'pg'
import type { Test } from 'tap'
import { openDatabase } from '../../src/database/open-database.ts'
import { stateOfMigrations } from './cluster-template.ts'
import { SCHEMA } from './schema.ts'
import { until } from './until.ts'

interface Made {
  readonly name: string
  readonly schema: string
}

/** Those of this process that no test has now: to make one and drop it takes a hundred times as long as to empty it. */
const idle: Made[] = []
const IDLE_FOR = 300
let wait: NodeJS.Timeout | undefined

/** A fresh, migrated database on the server at `url`, for as long as the test lasts. @returns its URL */
export async function migratedPostgres (t: Test, url: string): Promise<string> {
  clearTimeout(wait)
  const { name, schema } = idle.pop() ?? await make(url)
  t.teardown(async () => {
    if (!await empty(databaseOf(url, name), schema)) return dropDatabase(url, name)
    idle.push({ name, schema })
    clearTimeout(wait)
    wait = setTimeout(() => { for (const each of idle.splice(0)) dropDatabase(url, each.name).catch(() => {}) }, IDLE_FOR)
  })
  return databaseOf(url, name)
}

/** @returns the name of a new database */
export async function createDatabase (url: string, template: string): Promise<string> {
  const name = `countersign_test_${randomBytes(6).toString('hex')}`
  await onServer(url, server => server.query(`CREATE DATABASE ${name} TEMPLATE ${template}`))
  return name
}

export async function dropDatabase (url: string, name: string): Promise<void> {
  await onServer(url, server => server.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`))
}

export function databaseOf (url: string, name: string): string {
  const other = new URL(url)
  other.pathname = `/${name}`
  return other.href
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

async function make (url: string): Promise<Made> {
  const template = `countersign_template_${await stateOfMigrations()}`
  await ensureTemplate(url, template)
  const name = await createDatabase(url, template)
  return { name, schema: await onServer(databaseOf(url, name), schemaOf) }
}

/** @returns whether nobody is connected to it any more, and its schema is as it was */
async function empty (url: string, schema: string): Promise<boolean> {
  return onServer(url, async client => {
    // A connection that was closed is still listed for a moment.
    await until(() => isAlone(client), 500)
    if (await schemaOf(client) !== schema) return false
    // Deleted and not truncated: that writes new files, and waits for the disk to have them.
    await client.query(`DO $$ DECLARE name regclass; BEGIN
      FOR name IN SELECT oid FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND relname <> '_prisma_migrations' LOOP
        EXECUTE 'DELETE FROM ' || name;
      END LOOP;
      FOR name IN SELECT oid FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'S' LOOP
        PERFORM setval(name, 1, false);
      END LOOP;
    END $$`)
    return true
  }).catch(() => false)
}

async function isAlone (client: pg.Client) {
  const { rowCount } = await client.query('SELECT FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()')
  return rowCount === 0
}

async function schemaOf (client: pg.Client) {
  const { rows: [row] } = await client.query<{ schema: string }>(SCHEMA)
  return row?.schema ?? ''
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
    const database = await openDatabase({ url: databaseOf(url, unfinished), dataDir: '', log: { info () {}, warn () {}, error () {} } })
    await database.close()
    await server.query(`ALTER DATABASE ${unfinished} RENAME TO ${template}`)
  })
}
