import { once } from 'node:events'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { inspect } from 'node:util'
import t from 'tap'
import { openDatabase } from '../../src/database/open-database.ts'
import { databaseUrl, emptyPostgres, onPostgres, onServer, silent } from '../support/database.ts'

const dataDir = '/nowhere'

t.test('an unreachable server is named by host and port, without the password', async t => {
  const port = await freePort()
  const url = `postgres://someone:s3cret@127.0.0.1:${port}/app`
  for (const migrate of [true, false]) {
    const error = await openDatabase({ url, dataDir, migrate, log: silent }).catch((error: unknown) => error)
    t.match(error, {
      name: 'DatabaseStartError',
      code: 'unreachable',
      message: `PostgreSQL at 127.0.0.1:${port} cannot be reached (ECONNREFUSED).`
    })
    t.notMatch(inspect(error, { depth: 5 }), 's3cret')
  }
})

t.test('a server that accepts the connection and does not answer times out', async t => {
  const server = createServer(() => {}).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  const { port } = server.address() as AddressInfo
  const began = Date.now()
  await t.rejects(openDatabase({ url: `postgres://someone@127.0.0.1:${port}/app`, dataDir, log: silent }), { code: 'unreachable' })
  t.ok(Date.now() - began < 7_000)
})

t.test('an invalid Postgres URL is refused without repeating it', async t => {
  for (const url of ['', 'localhost:5432/app', 'mysql://u:s3cret@host/app', 'postgres://u:s3cret@host:port/app']) {
    const error = await openDatabase({ url, dataDir, log: silent }).catch((error: unknown) => error)
    t.match(error, { code: 'invalid_url' }, url)
    t.notMatch(String(error), 's3cret')
  }
})

t.test('an unknown user and a missing database each have their own message', onPostgres, async t => {
  const stranger = new URL(databaseUrl ?? '')
  stranger.username = 'countersign_stranger'
  stranger.password = 's3cret'
  const error = await openDatabase({ url: stranger.href, dataDir, log: silent }).catch((error: unknown) => error)
  t.match(error, { code: 'authentication_refused', message: /^PostgreSQL at \S+ refused the user or the password\.$/ })
  t.notMatch(inspect(error, { depth: 5 }), 's3cret')

  const missing = new URL(databaseUrl ?? '')
  missing.pathname = '/countersign_missing'
  await t.rejects(openDatabase({ url: missing.href, dataDir, log: silent }), {
    code: 'database_missing', message: /has no database "countersign_missing"\.$/
  })
})

t.test('an empty database is migrated, or left alone when told so', onPostgres, async t => {
  const url = await emptyPostgres(t)
  const left = await openDatabase({ url, dataDir, migrate: false, log: silent })
  t.same(left.migrated, [])
  await t.rejects(left.prisma.user.count(), { code: 'P2021' })
  await left.close()

  const migrated = await openDatabase({ url, dataDir, log: silent })
  t.match(migrated.migrated, [/_init$/])
  t.equal(await migrated.prisma.user.count(), 0)
  await migrated.close()
  await migrated.close()
})

t.test('?schema= keeps everything in a schema of its own, beside a host\'s tables', onPostgres, async t => {
  const url = await emptyPostgres(t)
  await onServer(url, server => server.query('CREATE TABLE users (mine text)'))
  const database = await openDatabase({ url: `${url}?schema=auth%20x`, dataDir, log: silent })
  t.teardown(() => database.close())
  await database.prisma.user.create({ data: { id: crypto.randomUUID(), email: 'a@example.com' } })
  t.same(await database.query({ name: 'count', text: 'SELECT count(*) AS count FROM users' }, []), [{ count: 1 }])
  t.same((await onServer(url, server => server.query('SELECT * FROM users'))).rows, [])
})

t.test('a role that may not create tables is told so', onPostgres, async t => {
  const url = await emptyPostgres(t)
  const role = `countersign_test_${process.pid}`
  await onServer(url, server => server.query(`CREATE ROLE ${role} LOGIN PASSWORD 'x'; REVOKE CREATE ON SCHEMA public FROM PUBLIC`))
  t.teardown(() => onServer(databaseUrl ?? '', server => server.query(`DROP ROLE ${role}`)))
  const limited = new URL(url)
  limited.username = role
  limited.password = 'x'
  await t.rejects(openDatabase({ url: limited.href, dataDir, log: silent }), {
    code: 'permission_denied', message: /forbids what the start needs: permission denied for schema public\.$/
  })
})

function freePort () {
  return new Promise<number>(resolve => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo
      server.close(() => resolve(port))
    })
  })
}
