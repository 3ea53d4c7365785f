import t from 'tap'
import { openDatabase } from '../../src/database/open-database.ts'
import { countersign } from '../../src/index.ts'
import { until } from '../support/until.ts'
import { databaseUrl, onPostgres, onServer, silent } from '../support/database.ts'
import { bareHost, pluginOptions } from './host.ts'

t.test('closing the host closes the database', async t => {
  const app = bareHost(t)
  const options = await pluginOptions(t)
  await app.register(countersign, options)
  await app.ready()
  await app.countersign.probes.database?.()
  await app.close()

  await t.rejects(async () => await app.countersign.probes.database?.())
  if (databaseUrl === undefined) {
    const again = await openDatabase({ dataDir: String(options.dataDir), log: silent })
    t.equal(again.engine, 'embedded', 'the data directory is free for another process')
    await again.close()
  } else {
    const name = new URL(String(options.databaseUrl)).pathname.slice(1)
    // The server forgets a connection a moment after it was told of its end.
    await t.resolves(onServer(databaseUrl, server => until(async () => {
      const { rowCount } = await server.query("SELECT 1 FROM pg_stat_activity WHERE datname = $1 AND backend_type = 'client backend'", [name])
      return rowCount === 0
    })), 'no connection is left')
  }
})

t.test('a host that fails to start leaves no database open', async t => {
  const app = bareHost(t)
  const options = await pluginOptions(t)
  await app.register(countersign, options)
  app.register(async () => { throw new Error("the host's own failure") })
  await t.rejects(async () => await app.ready(), { message: "the host's own failure" })
  await app.close()
  await t.rejects(async () => await app.countersign.probes.database?.())
})

t.test('where the plugin itself fails to start, it has closed what it opened, and says why in one sentence', onPostgres, async t => {
  const app = bareHost(t)
  const options = await pluginOptions(t)
  const url = String(options.databaseUrl)
  await onServer(url, server => server.query('ALTER TABLE revocations RENAME TO mislaid'))
  await t.rejects(async () => await app.register(countersign, options), { name: 'DatabaseStartError', message: /^The database "\w+" at [\w.]+:\d+ could not be opened: [^\n]*revocations[^\n]*\.$/ })
  await t.resolves(onServer(url, server => until(async () => {
    const { rowCount } = await server.query("SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()")
    return rowCount === 0
  })), 'no connection is left')
})
