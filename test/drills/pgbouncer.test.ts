import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { chmod, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { databaseUrl, onPostgres, onServer, temporaryDirectory, testDatabase } from '../support/database.ts'
import { freePort } from '../support/free-port.ts'
import { present } from '../support/presence.ts'
import { isReady } from '../support/ready.ts'
import { PASSWORD, startService, type TestService } from '../support/service.ts'
import { until } from '../support/until.ts'

// Another than that of the system: Debian 12 has 1.18, whose transaction mode knows no prepared statements.
const program = process.env.PGBOUNCER ?? 'pgbouncer'
const [, minor] = /PgBouncer 1\.(\d+)/.exec(spawnSync(program, ['--version'], { encoding: 'utf8' }).stdout ?? '') ?? []
const inSessionMode = { ...onPostgres, ...minor === undefined && { skip: 'needs pgbouncer' }, timeout: 120_000 }
const inTransactionMode = { ...inSessionMode, ...Number(minor ?? 0) < 21 && { skip: 'needs pgbouncer 1.21 or later: PGBOUNCER=<its path>' } }

/** Starts PgBouncer in front of a database. @param settings more lines of its configuration @returns the URL through it, and how to kill it and start it again */
async function startPgBouncer (t: Test, url: string, settings: string): Promise<{ through: string, kill (): Promise<void>, start (): Promise<void> }> {
  const directory = await temporaryDirectory(t)
  await chmod(directory, 0o777)
  const port = await freePort()
  const { hostname, port: at, username, pathname } = new URL(url)
  const file = join(directory, 'pgbouncer.ini')
  await writeFile(file, `
    [databases]
    ${pathname.slice(1)} = host=${hostname} port=${at || '5432'} user=${username}
    [pgbouncer]
    listen_addr = 127.0.0.1
    listen_port = ${port}
    unix_socket_dir =
    auth_type = any
    ${settings}`)
  // It refuses to run as root.
  const asRoot = process.getuid?.() === 0 ? ['-u', 'postgres'] : []
  let pgbouncer: ChildProcess | undefined
  const end = () => { pgbouncer?.kill('SIGKILL') }
  process.once('exit', end)
  async function kill (): Promise<void> {
    if (pgbouncer === undefined) return
    const gone = once(pgbouncer, 'exit')
    end()
    await gone
    pgbouncer = undefined
  }
  async function start (): Promise<void> {
    pgbouncer = spawn(program, [...asRoot, file], { stdio: 'ignore' })
    await until(() => onServer(through.href, async () => true).catch(() => false))
  }
  t.teardown(async () => {
    process.removeListener('exit', end)
    await kill()
  })
  const through = new URL(url)
  through.hostname = '127.0.0.1'
  through.port = String(port)
  await start()
  return { through: through.href, kill, start }
}

t.test('behind PgBouncer in session mode', inSessionMode, async t => {
  const { url, dataDir } = await databaseInTokyo(t)
  const pgbouncer = await startPgBouncer(t, url, 'pool_mode = session\n    default_pool_size = 40')
  const settings = { DATABASE_URL: pgbouncer.through, DATA_DIR: dataDir }
  const [one, other] = [await startService(t, settings), await startService(t, settings)]
  await isUsable(t, one, other)
  await isKilled(t, one, pgbouncer)
})

t.test('behind PgBouncer in transaction mode', inTransactionMode, async t => {
  const { url, dataDir } = await databaseInTokyo(t)
  const { through, ...pgbouncer } = await startPgBouncer(t, url, 'pool_mode = transaction\n    default_pool_size = 6\n    max_prepared_statements = 100')
  const settings = { DATABASE_URL: through, DATABASE_DIRECT_URL: url, DATA_DIR: dataDir }
  const [one, other] = [await startService(t, settings), await startService(t, settings)]

  // Somebody else's sessions, on the same connections.
  const over = new AbortController()
  const seen = new Set<string>()
  const connections = new Set<number>()
  const looking = onServer(through, async server => {
    while (!over.signal.aborted) {
      const { rows: [row] } = await server.query<{ settings: string, pid: number }>("SELECT concat_ws(' ', current_setting('TimeZone'), current_setting('statement_timeout'), current_setting('lock_timeout')) AS settings, pg_backend_pid() AS pid")
      seen.add(row?.settings ?? '')
      connections.add(row?.pid ?? 0)
    }
  })
  await isUsable(t, one, other)
  over.abort()
  await looking
  t.strictSame([...seen], ['Asia/Tokyo 0 0'], 'nothing of the service is left on a connection')
  t.ok(connections.size > 1, `although its transactions ran on ${connections.size}`)

  for (const { log } of [one, other]) t.strictSame(log.filter(({ level }) => level >= 50), [])

  const began = performance.now()
  await t.rejects(one.database.query({ name: 'sleep', text: 'SELECT pg_sleep(20)::text' }, []), { code: '57014' }, 'a statement that takes too long is cancelled')
  t.ok(performance.now() - began < 4_000)
  const person = await one.person()
  await onServer(url, async server => {
    await server.query('BEGIN')
    await server.query('LOCK TABLE users IN ACCESS EXCLUSIVE MODE')
    const lockedAt = performance.now()
    t.equal((await one.call('GET /auth/me', { token: person.accessToken })).status, 503, 'and so is one that waits for a lock')
    t.ok(performance.now() - lockedAt < 2_000)
    await server.query('ROLLBACK')
  })
  t.equal((await one.call('GET /auth/me', { token: person.accessToken })).status, 200)
  await isKilled(t, one, pgbouncer)
})

/** A database whose sessions are not in UTC by themselves. */
async function databaseInTokyo (t: Test): Promise<{ url: string, dataDir: string }> {
  const { url = databaseUrl ?? '', dataDir } = await testDatabase(t)
  await onServer(url, server => server.query(`ALTER DATABASE ${new URL(url).pathname.slice(1)} SET timezone = 'Asia/Tokyo'`))
  return { url, dataDir }
}

async function isUsable (t: Test, one: TestService, other: TestService): Promise<void> {
  t.ok(await isReady(one))

  const person = await one.person()
  t.equal((await one.call('GET /auth/me', { token: person.accessToken })).status, 200)
  const { status, body } = await other.call<typeof person>('POST /auth/refresh', { json: { refreshToken: person.refreshToken } })
  t.equal(status, 200)
  const changed = await one.call<typeof person>('POST /auth/password', present({ ...person, ...body }, { currentPassword: PASSWORD, newPassword: 'a staple of nine words' }))
  t.equal(changed.status, 200, 'transactions run')
  const logins = await Promise.all(Array.from({ length: 50 }, () => one.logIn({ email: person.email, password: 'a staple of nine words' })))
  t.equal(logins.length, 50, 'more at once than there are connections')

  const [heard] = await one.sql<{ zone: string, off: number }>("SELECT current_setting('TimeZone') AS zone, extract(epoch FROM ends_at - now())::float8 / 86400 AS off FROM sessions ORDER BY created_at DESC LIMIT 1")
  t.equal(heard?.zone, 'UTC')
  t.ok(Math.abs((heard?.off ?? 0) - 90) < 0.1, 'times are right')
  const began = performance.now()
  t.equal((await one.call('POST /auth/logout', { token: logins[0]?.accessToken ?? '' })).status, 204)
  await until(async () => (await other.call('GET /auth/verify', { token: logins[0]?.accessToken ?? '' })).status === 401)
  t.ok(performance.now() - began < 3_000, 'the other instance hears of it')
}

async function isKilled (t: Test, service: TestService, { kill, start }: { kill (): Promise<void>, start (): Promise<void> }): Promise<void> {
  const person = await service.person()
  await kill()
  for (const [what, status] of [['POST /auth/refresh', 503], ['POST /auth/logout', 503]] as const) t.equal((await service.call(what, { json: { refreshToken: person.refreshToken } })).status, status, what)
  t.equal((await service.call('POST /auth/login', { json: { email: person.email, password: PASSWORD } })).status, 503)
  t.equal((await service.call('GET /auth/verify', { token: person.accessToken })).status, 200)
  await start()
  t.equal((await service.call('POST /auth/refresh', { json: { refreshToken: person.refreshToken } })).status, 200, 'the service recovers by itself')
}
