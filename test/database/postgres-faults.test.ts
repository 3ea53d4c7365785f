import { randomUUID } from 'node:crypto'
import t from 'tap'
import type { Test } from 'tap'
import type { Database, DatabaseOptions } from '../../src/database/database.ts'
import { isDatabaseUnavailable } from '../../src/database/errors.ts'
import { openDatabase } from '../../src/database/open-database.ts'
import { onPostgres, onServer, silent, testDatabase } from '../support/database.ts'
import { until } from '../support/until.ts'
import { tcpProxy } from './tcp-proxy.ts'

const sleep = (seconds: number) => ({ name: `sleep ${seconds}`, text: `SELECT pg_sleep(${seconds})::text` })

t.test('when PostgreSQL fails', onPostgres, async t => {
  t.test('a connection cut during a query is reported as unavailable everywhere, and is replaced', async t => {
    const { database, proxy } = await throughProxy(t)
    await everyWayWorks(t, database)
    const underWay = Promise.all([
      refusal(database.query(sleep(2), [])),
      refusal(database.prisma.$queryRaw`SELECT pg_sleep(2)::text`),
      refusal(database.prisma.$transaction(async tx => {
        await tx.user.count()
        await begun
        await tx.user.count()
      }))
    ])
    const begun = new Promise(resolve => { setTimeout(resolve, 600) })
    await new Promise(resolve => { setTimeout(resolve, 200) })
    await proxy.cut()
    for (const error of await underWay) t.ok(isDatabaseUnavailable(error), String(error))
    await everyWayIsUnavailable(t, database)
    await proxy.heal()
    await everyWayWorks(t, database)
  })

  t.test('a lost idle connection is logged and breaks nothing', async t => {
    const warnings: object[] = []
    const { database, proxy } = await throughProxy(t, { log: { ...silent, warn: details => { warnings.push(details) } } })
    await everyWayWorks(t, database)
    await proxy.cut()
    await proxy.heal()
    // One of each pool.
    await until(() => warnings.length === 3)
    for (const warning of warnings) t.match(warning, { err: Error })
    await everyWayWorks(t, database)
  })

  t.test('a server that stops answering is unavailable in time, and no connection stays broken', async t => {
    const { database, proxy } = await throughProxy(t, { pool: { max: 3, statementTimeoutMs: 1_000 } })
    await everyWayWorks(t, database)
    const freezes = new Promise<void>(resolve => { setTimeout(() => { proxy.freeze(); resolve() }, 200) })
    const began = Date.now()
    const transaction = refusal(database.prisma.$transaction(async tx => {
      await tx.user.count()
      await freezes
      await tx.user.count()
    }))
    await freezes
    t.ok(isDatabaseUnavailable(await refusal(database.ping())))
    t.ok(Date.now() - began < 1_900, 'ping gives up after a second')
    await everyWayIsUnavailable(t, database)
    t.ok(isDatabaseUnavailable(await transaction))
    await proxy.heal()
    for (let round = 0; round < 3; round++) {
      const healed = Date.now()
      await everyWayWorks(t, database)
      t.ok(Date.now() - healed < 1_500, `${Date.now() - healed} ms`)
    }
  })

  t.test('a statement and a wait for a connection that time out are unavailable', async t => {
    const { database } = await throughProxy(t, { pool: { max: 1, acquireTimeoutMs: 300, statementTimeoutMs: 700 } })
    const [slow, ...starved] = await Promise.all([
      refusal(database.query(sleep(5), [])), refusal(database.query(sleep(0), [])), refusal(database.prisma.user.count())
    ])
    t.match(slow, { code: '57014' })
    for (const error of [slow, ...starved]) t.ok(isDatabaseUnavailable(error), String(error))
    const [busy, waiting] = await Promise.all([
      refusal(database.prisma.$transaction(async tx => tx.$queryRaw`SELECT pg_sleep(5)::text`)), refusal(database.prisma.$transaction(async tx => tx.user.count()))
    ])
    for (const error of [busy, waiting]) t.ok(isDatabaseUnavailable(error), String(error))
    t.ok(isDatabaseUnavailable(await refusal(database.prisma.$queryRaw`SELECT pg_sleep(5)::text`)))
    await everyWayWorks(t, database)
  })

  t.test('connections ended by an administrator are unavailable and replaced', async t => {
    const { database, url } = await throughProxy(t)
    const underWay = Promise.all([refusal(database.query(sleep(2), [])), refusal(database.prisma.$queryRaw`SELECT pg_sleep(2)::text`)])
    await new Promise(resolve => { setTimeout(resolve, 300) })
    await onServer(url, server => server.query(
      'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()'
    ))
    for (const error of await underWay) t.ok(isDatabaseUnavailable(error), String(error))
    await everyWayWorks(t, database)
  })

  t.test('a server that is full is unavailable', async t => {
    const { url = '', dataDir } = await testDatabase(t)
    const database = await openDatabase({ url, dataDir, log: silent })
    t.teardown(() => database.close())
    const role = `countersign_test_full_${process.pid}`
    await onServer(url, server => server.query(`CREATE ROLE ${role} LOGIN PASSWORD 'x' CONNECTION LIMIT 0`))
    t.teardown(() => onServer(url, server => server.query(`DROP ROLE ${role}`)))
    const full = new URL(url)
    full.username = role
    full.password = 'x'
    await t.rejects(openDatabase({ url: full.href, dataDir, migrate: false, log: silent }), { code: 'too_many_connections' })
    const error = await refusal(onServer(full.href, async () => {}))
    t.ok(isDatabaseUnavailable(error))
  })
})

async function throughProxy (t: Test, options: Partial<DatabaseOptions> = {}) {
  const { url = '', dataDir } = await testDatabase(t)
  const proxy = await tcpProxy(url)
  t.teardown(() => proxy.close())
  const database = await openDatabase({ url: proxy.url, dataDir, log: silent, ...options })
  t.teardown(() => database.close())
  return { database, proxy, url }
}

function everyWay ({ query, prisma, ping }: Database): Array<() => Promise<unknown>> {
  const id = randomUUID()
  return [
    () => query({ name: 'one', text: 'SELECT 1 AS one' }, []),
    () => prisma.user.findFirst(),
    () => prisma.user.updateMany({ where: { id }, data: { name: 'x' } }),
    () => prisma.$queryRaw`SELECT 1`,
    () => prisma.$executeRaw`UPDATE users SET name = 'x' WHERE id = ${id}::uuid`,
    () => prisma.$transaction([prisma.user.count(), prisma.user.count()]),
    () => prisma.$transaction(async tx => tx.user.count()),
    () => ping()
  ]
}

async function everyWayWorks (t: Test, database: Database) {
  for (const way of everyWay(database)) await t.resolves(way())
}

async function everyWayIsUnavailable (t: Test, database: Database) {
  const errors = await Promise.all(everyWay(database).map(way => refusal(way())))
  for (const error of errors) t.ok(isDatabaseUnavailable(error), String(error).replaceAll('\n', ' '))
}

async function refusal (work: Promise<unknown>): Promise<unknown> {
  return work.then(() => undefined, (error: unknown) => error)
}
