import { randomUUID } from 'node:crypto'
import { mkdir, mkdtemp, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { PGlite } from '@electric-sql/pglite'
import t from 'tap'
import type { Test } from 'tap'
import { migrateEmbedded } from '../../src/database/embedded/migrate-embedded.ts'
import { MIGRATIONS_DIRECTORY, readMigrations } from '../../src/database/migration-files.ts'
import { migratePostgres } from '../../src/database/postgres/migrate-postgres.ts'
import { databaseUrl, emptyPostgres, onServer, silent, temporaryDirectory } from '../support/database.ts'

let cluster: Promise<PGlite> | undefined
t.teardown(async () => { await (await cluster)?.close() })

interface Target {
  migrate: (directory: URL) => Promise<string[]>
  rows: (sql: string) => Promise<unknown[]>
}

const body = `CREATE FUNCTION twice (n int) RETURNS int LANGUAGE plpgsql AS $$ BEGIN n := n * 2; RETURN n; END; $$;
-- a comment; with a semicolon
CREATE TABLE things (id int PRIMARY KEY, note text DEFAULT ';');`

t.test('the shipped migrations are found', async t => {
  const [first] = await readMigrations()
  t.match(first?.name, /^\d{14}_init$/)
  t.match(first?.checksum, /^[0-9a-f]{64}$/)
  t.notMatch(first?.sql, /CREATE SCHEMA/, 'a plain role may run it')
  t.match(await readFile(new URL('migration_lock.toml', MIGRATIONS_DIRECTORY), 'utf8'), 'postgresql')
})

for (const [engine, open, options] of [
  ['embedded', embedded, {}],
  ['PostgreSQL', postgres, databaseUrl === undefined ? { skip: 'needs DATABASE_URL' } : {}]
] as const) {
  t.test(`on ${engine}`, options, async t => {
    t.test('pending migrations are applied in order, once', async t => {
      const target = await open(t)
      const directory = await migrations(t, { '1_things': body, '2_more': 'ALTER TABLE things ADD COLUMN more int' })
      t.same(await target.migrate(directory), ['1_things', '2_more'])
      t.same(await target.migrate(directory), [])
      t.same(await target.rows('SELECT twice(21) AS answer'), [{ answer: 42 }])
      t.match(await target.rows('SELECT * FROM _prisma_migrations ORDER BY migration_name'), [
        { id: /^[0-9a-f-]{36}$/, migration_name: '1_things', checksum: /^[0-9a-f]{64}$/, finished_at: Date, started_at: Date, rolled_back_at: null, logs: null, applied_steps_count: 1 },
        { migration_name: '2_more' }
      ])
    })

    t.test('a migration that fails is named and rolled back completely, and is applied once fixed', async t => {
      const target = await open(t)
      const broken = await migrations(t, { '1_things': body, '2_broken': 'CREATE TABLE half (id int); SELECT 1/0;' })
      await t.rejects(target.migrate(broken), {
        code: 'migration_failed', message: 'Migration 2_broken failed and was rolled back: division by zero.'
      })
      t.same(await target.rows("SELECT to_regclass('half')::text AS half"), [{ half: null }])
      t.same(await target.rows('SELECT migration_name FROM _prisma_migrations'), [{ migration_name: '1_things' }])
      const mended = await migrations(t, { '1_things': body, '2_broken': 'CREATE TABLE half (id int)' })
      t.same(await target.migrate(mended), ['2_broken'])
    })

    t.test('a migration edited since is refused, and nothing pending behind it is applied', async t => {
      const target = await open(t)
      await target.migrate(await migrations(t, { '1_things': body }))
      const edited = await migrations(t, { '1_things': `${body} `, '2_more': 'CREATE TABLE more (id int)' })
      await t.rejects(target.migrate(edited), { code: 'migration_edited', message: /^Migration 1_things was edited/ })
      t.same(await target.rows("SELECT to_regclass('more')::text AS more"), [{ more: null }])
      const windows = await migrations(t, { '1_things': body.replaceAll('\n', '\r\n') })
      t.same(await target.migrate(windows), [], 'Windows line ends are no edit')
    })

    t.test('a migration another tool left half-done is refused; one it rolled back is applied', async t => {
      const target = await open(t)
      await target.migrate(await migrations(t, { '1_things': body }))
      await target.rows(`INSERT INTO _prisma_migrations (id, checksum, migration_name) VALUES ('${randomUUID()}', 'x', '2_more')`)
      const directory = await migrations(t, { '1_things': body, '2_more': 'CREATE TABLE more (id int)' })
      await t.rejects(target.migrate(directory), { code: 'migration_half_failed', message: /^Migration 2_more / })
      t.same(await target.rows("SELECT to_regclass('more')::text AS more"), [{ more: null }])
      await target.rows("UPDATE _prisma_migrations SET rolled_back_at = now() WHERE migration_name = '2_more'")
      t.same(await target.migrate(directory), ['2_more'])
    })

    t.test('migrations of a newer version are ignored', async t => {
      const target = await open(t)
      await target.migrate(await migrations(t, { '1_things': body, '2_newer': 'CREATE TABLE newer (id int)' }))
      t.same(await target.migrate(await migrations(t, { '1_things': body })), [])
    })
  })
}

t.test('20 processes\' worth of runners on one empty PostgreSQL apply each migration once', databaseUrl === undefined ? { skip: 'needs DATABASE_URL' } : {}, async t => {
  const url = await emptyPostgres(t)
  const directory = await migrations(t, { '1_things': `${body} SELECT pg_sleep(0.1);`, '2_more': 'ALTER TABLE things ADD COLUMN more int' })
  const applied = await Promise.all(Array.from({ length: 20 }, () => migratePostgres(url, silent, directory)))
  t.same(applied.flat().sort(), ['1_things', '2_more'])
})

// Making a cluster takes far longer than a test of these: one after the other, they take the same, emptied.
async function embedded (): Promise<Target> {
  const engine = await (cluster ??= PGlite.create())
  await engine.exec('DROP SCHEMA public CASCADE; CREATE SCHEMA public')
  return {
    migrate: directory => migrateEmbedded(engine, silent, directory),
    rows: async sql => (await engine.query(sql)).rows
  }
}

async function postgres (t: Test): Promise<Target> {
  const url = await emptyPostgres(t)
  return {
    migrate: directory => migratePostgres(url, silent, directory),
    rows: sql => onServer(url, async server => (await server.query<Record<string, unknown>>(sql)).rows)
  }
}

async function migrations (t: Test, scripts: Record<string, string>) {
  const directory = await mkdtemp(join(await temporaryDirectory(t), 'migrations-'))
  for (const [name, sql] of Object.entries(scripts)) {
    await mkdir(join(directory, name))
    await writeFile(join(directory, name, 'migration.sql'), sql)
  }
  await writeFile(join(directory, 'migration_lock.toml'), 'provider = "postgresql"\n')
  return pathToFileURL(`${directory}/`)
}
