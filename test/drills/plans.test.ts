import '../support/plans/collect-statements.ts'
import { readdirSync, readFileSync } from 'node:fs'
import pg from 'pg'
import t from 'tap'
import type { Sent } from '../support/plans/explain.ts'

// All that compiles statements is loaded once they are noted.
const { explain } = await import('../support/plans/explain.ts')
const { addRows, forgetValues, readSizes, withoutIndexes, writeSizes } = await import('../support/plans/million-rows.ts')
const { onServer } = await import('../support/postgres.ts')
const { onOwnCluster, startCluster } = await import('../support/own-cluster.ts')
const { databaseUrl, onPostgres } = await import('../support/database.ts')
const { prismaCalls, unknownSql } = await import('../support/plans/prisma-calls.ts')
const { statements, bindValues } = await import('../support/plans/collected-statements.ts')
const { startService } = await import('../support/service.ts')
const { prismaStatements } = await import('../support/plans/prisma-statements.ts')
const { valuesOf } = await import('../support/plans/values.ts')

/** How many rows each table has, those of limits and of held addresses a tenth. PLAN_TIMES=1 prints what each statement took. */
const ROWS = Number(process.env.PLAN_ROWS ?? 1_000_000)
const FEW = 60
/** Far more than any statement needs, and far less than a table or an index has: rows of one step, and pages of 8 KB in all. */
const [MOST_ROWS, MOST_PAGES] = [12_000, 2_500]

/** Tables that stay small, whatever the service is for. */
const SMALL: Readonly<Record<string, string>> = {
  clients: 'other services, as an operator registers them by hand',
  ledger_identity: 'has one row',
  _prisma_migrations: 'has one row for each migration'
}

/** The middle of the ids of accounts that are there. */
const OTHER = Math.floor(ROWS / 2 / 0x10000).toString(16).padStart(8, '0')

const SOURCES = new URL('../../src/', import.meta.url)
const skip = databaseUrl === undefined ? onPostgres : onOwnCluster

t.test(`every statement is answered by an index at ${ROWS} rows, whatever the planner knows of them`, { ...skip, timeout: 600_000 }, async t => {
  const url = await startCluster(t)
  await onServer(url, async client => {
    for (const setting of ['autovacuum = off', 'full_page_writes = off', "max_wal_size = '8GB'", 'jit = off']) await client.query(`ALTER SYSTEM SET ${setting}`)
    await client.query('SELECT pg_reload_conf()')
  })
  // Its purges are compiled when it is composed.
  const { database, app } = await startService(t, { DATABASE_URL: url, RATE_LIMITS: 'refresh=60/1m+600/1h' })
  await loadAll()

  const client = new pg.Client({ connectionString: url })
  await client.connect()
  t.teardown(() => client.end())
  await client.query('ANALYZE')
  const empty = await readSizes(client)

  await addRows(url, { from: 1, to: FEW, age: '3 days' })
  const { sent: prismas, called } = await prismaStatements(database)
  t.strictSame(prismaCalls().filter(call => !called.has(call)), [], "every line that calls Prisma's client is called here")
  t.strictSame(unknownSql(), [], 'all other SQL is in compiled statements')
  await app.close()
  await client.query('ANALYZE')
  const few = await readSizes(client)
  const began = performance.now()
  await withoutIndexes(url, () => addRows(url, { from: FEW + 1, to: ROWS }))
  t.comment(`filled in ${Math.round((performance.now() - began) / 1000)} s`)

  const tables = (await client.query<{ name: string }>("SELECT relname AS name FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' ORDER BY 1")).rows.map(({ name }) => name)
  const large: string[] = []
  for (const table of tables) {
    const { rows: [counted] } = await client.query<{ count: number }>(`SELECT count(*)::int AS count FROM ${table}`)
    if (Number(counted?.count) >= ROWS / 20) large.push(table)
  }
  t.strictSame(tables.filter(table => !large.includes(table)).sort(), Object.keys(SMALL).sort(), 'all tables are filled but those that stay small')

  t.strictSame(purgesInSources().filter(name => !statements.has(name)), [], 'the purges are among the statements')

  // Whoever deletes an account has the server look for what belongs to it, by statements of its own.
  const { rows: unindexed } = await client.query(`
    SELECT conname FROM pg_constraint WHERE contype = 'f'
      AND NOT EXISTS (SELECT FROM pg_index WHERE indrelid = conrelid AND indkey[0] = conkey[1] AND indpred IS NULL)`)
  t.strictSame(unindexed, [], 'every foreign key has an index')

  const compiled: Sent[] = [...statements.values()].map(statement => ({ name: statement.name, text: statement.text, values: bindValues(statement, valuesOf(statement.name, ROWS)) }))
  const texts = new Set(compiled.map(({ text }) => text))
  // Those were made with the first accounts, some of which are gone: the same of others.
  const sent = [...compiled, ...prismas.filter(({ text }) => !texts.has(text)).map(each => ({ ...each, values: each.values.map(value => typeof value === 'string' ? value.replace(/^(0190000[a-e]-0000-7000-8000)-0{8}/, `$1-${OTHER}`) : value) }))]
  t.comment(`${compiled.length} statements of the stores, ${prismas.length} of Prisma's client`)

  const states = {
    'statistics of few rows, three days old': () => writeSizes(client, few),
    'statistics of empty tables': async () => { await forgetValues(client); await writeSizes(client, empty) },
    'no statistics': () => writeSizes(client, empty.map(size => ({ ...size, rows: -1 }))),
    'new statistics': async () => { await client.query('ANALYZE') }
  }
  for (const [state, prepare] of Object.entries(states)) {
    await prepare()
    await t.test(state, async t => {
      const planned = new pg.Client({ connectionString: url })
      await planned.connect()
      t.teardown(() => planned.end())
      await planned.query("SET statement_timeout = '20s'; SET TimeZone = 'UTC'")
      for (const mode of ['force_custom_plan', 'force_generic_plan'] as const) {
        const bad: string[] = []
        for (const each of sent) {
          try {
            const { scanned, rows, pages, ms, plan } = await explain(planned, each, mode)
            if (process.env.PLAN_TIMES !== undefined) t.comment(`${ms.toFixed(2)} ms, ${rows} rows, ${pages} pages: ${each.name.slice(0, 80)}`)
            const read = scanned.filter(table => large.includes(table))
            if (read.length > 0 || rows > MOST_ROWS || pages > MOST_PAGES) bad.push(`${each.name}: ${Math.round(ms)} ms, ${rows} rows, ${pages} pages${read.length > 0 ? `, reads all of ${read.join(', ')}` : ''}: ${plan}`)
          } catch (error) {
            bad.push(`${each.name}: ${String(error)}`)
          }
        }
        t.strictSame(bad, [], mode)
      }
    })
  }
})

/** The names of the statements that are compiled where a part of the service is composed, not where its module is loaded. */
function purgesInSources (): string[] {
  return readdirSync(SOURCES, { recursive: true, encoding: 'utf8' })
    .filter(file => file.endsWith('-store.js') || file.endsWith('/store.js') || file.endsWith('ledger-reader.js'))
    .flatMap(file => [...readFileSync(new URL(file, SOURCES), 'utf8').matchAll(/what: "([\w-]+)"/g)].map(([, what]) => `${what}.purge`))
}

/** Loads every module that compiles a statement. */
async function loadAll (): Promise<void> {
  for (const file of readdirSync(SOURCES, { recursive: true, encoding: 'utf8' })) {
    if (file.endsWith('.js') && /\bstatement\(/.test(readFileSync(new URL(file, SOURCES), 'utf8'))) await import(new URL(file, SOURCES).href)
  }
}
