import { PGlite } from '@electric-sql/pglite'
import tap, { type Test } from 'tap'
import type { Database } from '../../src/database/database.ts'
import { startParams } from '../../src/database/embedded/pglite-cluster.ts'
import { migrateEmbedded } from '../../src/database/embedded/migrate-embedded.ts'
import { databaseOver } from '../../src/database/embedded/open-embedded.ts'
import { readSnapshot } from '../../src/database/embedded/snapshot.ts'
import { withCheckedChannels } from '../../src/database/open-database.ts'
import { SCHEMA } from './schema.ts'

interface Engine {
  readonly engine: PGlite
  readonly schema: unknown
}

/** Those of this process that no test has now. To start one takes fifty times as long as to empty it. */
const idle: Engine[] = []
const MOST_IDLE = 2
// An open engine has a timer of its own, and with it the process would never end.
tap.teardown(async () => { await Promise.all(idle.splice(0).map(({ engine }) => engine.close())) })

/** A fresh, migrated database on an embedded engine in memory, for as long as the test lasts. */
export async function openInMemory (t: Test): Promise<Database> {
  const taken = idle.pop() ?? await start()
  t.teardown(() => putBack(taken))
  const { engine, close } = untilClosed(taken.engine)
  return withCheckedChannels(databaseOver({ engine, migrated: [], explain: error => { throw error } }, close))
}

/** The engine for one test: closing it closes it to that test alone. */
function untilClosed (real: PGlite): { engine: PGlite, close (): Promise<void> } {
  let closed = false
  const engine = new Proxy(real, {
    get (_, name) {
      if (name === 'closed') return closed
      if (closed) throw new Error('PGlite is closed')
      const value: unknown = Reflect.get(real, name, real)
      return typeof value === 'function' ? value.bind(real) as unknown : value
    }
  })
  return { engine, close: async () => { closed = true } }
}

async function start (): Promise<Engine> {
  const snapshot = await readSnapshot()
  const engine = await PGlite.create({ startParams, ...snapshot && { loadDataDir: snapshot } })
  await migrateEmbedded(engine, { info () {}, warn () {}, error () {} })
  return { engine, schema: await schemaOf(engine) }
}

async function putBack ({ engine, schema }: Engine) {
  await engine.exec('DISCARD ALL')
  // A test that has left the schema another than it found it has had its engine for itself.
  if (idle.length < MOST_IDLE && await schemaOf(engine) === schema) {
    await engine.exec(EMPTY)
    idle.push({ engine, schema })
  } else {
    await engine.close()
  }
}

// To truncate makes every table and index a new file, which takes ten times as long as to delete the few rows of a test.
const EMPTY = `DO $$ DECLARE name text; BEGIN
  SET LOCAL session_replication_role = replica;
  FOR name IN SELECT oid::regclass FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND relname <> '_prisma_migrations'
    LOOP EXECUTE 'DELETE FROM ' || name; END LOOP;
  PERFORM setval(oid::regclass, 1, false) FROM pg_class WHERE relkind = 'S';
END $$`

async function schemaOf (engine: PGlite) {
  const { rows } = await engine.query<{ schema: string }>(SCHEMA)
  return rows[0]?.schema
}
