import t, { type Test } from 'tap'
import { databaseUrl, onPostgres, onServer, testDatabase } from '../support/database.ts'
import { startService, type Person, type TestService } from '../support/service.ts'
import { until } from '../support/until.ts'

// More than there are connections by far.
const SESSIONS = 40

async function onFewConnections (t: Test, settings: Record<string, string> = {}) {
  const { url = databaseUrl ?? '', dataDir } = await testDatabase(t)
  return { url, service: await startService(t, { DATABASE_URL: url, DATA_DIR: dataDir, DATABASE_POOL_SIZE: '4', ...settings }) }
}

/** What everybody else does. @returns the statuses */
async function everythingElse ({ call, logIn }: TestService, person: Person): Promise<number[]> {
  const login = await logIn(person)
  const { status: refreshed } = await call('POST /auth/refresh', { json: { refreshToken: login.refreshToken } })
  const { status: me } = await call('GET /auth/me', { token: login.accessToken })
  const { status: loggedOut } = await call('POST /auth/logout', { token: login.accessToken })
  return [refreshed, me, loggedOut]
}

t.test('an account whose row another transaction holds', { ...onPostgres, timeout: 120_000 }, async t => {
  const { url, service } = await onFewConnections(t)
  const [hot, other] = [await service.person(), await service.person()]
  const logins = await Promise.all(Array.from({ length: SESSIONS }, () => service.logIn(hot)))

  await onServer(url, async holder => {
    await holder.query('BEGIN')
    await holder.query('SELECT FROM users WHERE id = $1 FOR UPDATE', [hot.user.id])
    const loggingOut = Promise.all(logins.map(({ accessToken }) => service.call('POST /auth/logout', { token: accessToken })))
    for (let round = 0; round < 5; round++) t.strictSame(await everythingElse(service, other), [200, 200, 204], 'keeps nobody else from being served')
    for (const { status, headers } of await loggingOut) {
      t.equal(status, 503, 'what would have to wait for it is to be tried again')
      t.ok(Number(headers['retry-after']) >= 1)
    }
    await holder.query('ROLLBACK')
  })
  const again = await Promise.all(logins.map(({ accessToken }) => service.call('POST /auth/logout', { token: accessToken })))
  t.strictSame([...new Set(again.map(({ status }) => status))], [204])
})

t.test('a row that is free again within a second is waited for', { ...onPostgres, timeout: 60_000 }, async t => {
  const { url, service } = await onFewConnections(t)
  const person = await service.person()
  await onServer(url, async holder => {
    await holder.query('BEGIN')
    await holder.query('SELECT FROM users WHERE id = $1 FOR UPDATE', [person.user.id])
    const loggingOut = service.call('POST /auth/logout', { token: person.accessToken })
    // Within a transaction it would be seen once, and then remembered.
    const isWaitedFor = async () => {
      await holder.query('SELECT pg_stat_clear_snapshot()')
      return (await holder.query("SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'")).rowCount === 1
    }
    await until(isWaitedFor)
    await holder.query('SELECT pg_sleep(0.5)')
    await holder.query('COMMIT')
    t.equal((await loggingOut).status, 204)
  })
})

t.test('while the table of sessions is locked', { ...onPostgres, timeout: 120_000 }, async t => {
  const { url, service } = await onFewConnections(t, { REVOCATION_MAX_STALENESS: '4s' })
  const people = await Promise.all(Array.from({ length: 5 }, service.person))
  const [person] = people
  if (person === undefined) throw new Error('nobody is there')
  const over = new AbortController()

  await onServer(url, async holder => {
    await holder.query('BEGIN')
    await holder.query('LOCK TABLE sessions IN ACCESS EXCLUSIVE MODE')
    const waiting = Promise.all(people.flatMap(({ refreshToken }) => Array.from({ length: 6 }, async () => {
      const statuses: number[] = []
      while (!over.signal.aborted) statuses.push((await service.call('POST /auth/refresh', { json: { refreshToken } })).status)
      return statuses
    })))
    const began = performance.now()
    const [verified, profiles, ready] = [new Set<number>(), new Set<number>(), new Set<number>()]
    while (performance.now() - began < 7_000) {
      verified.add((await service.call('GET /auth/verify', { token: person.accessToken })).status)
      profiles.add((await service.call('GET /auth/me', { token: person.accessToken })).status)
      ready.add((await service.call('GET /health/ready')).status)
    }
    over.abort()
    t.strictSame([...verified], [200], 'tokens are verified: the ledger is read by connections of its own')
    t.strictSame([...profiles], [200], 'what needs another table is served')
    t.strictSame([...ready], [200], 'the service is ready')
    t.strictSame([...new Set((await waiting).flat())], [503], 'what needs the sessions is to be tried again')
    await holder.query('ROLLBACK')
  })
  for (const { refreshToken } of people) t.equal((await service.call('POST /auth/refresh', { json: { refreshToken } })).status, 200, 'nobody was logged out')
})
