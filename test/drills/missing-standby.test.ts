import { setTimeout as pause } from 'node:timers/promises'
import t from 'tap'
import { onServer, temporaryDirectory } from '../support/database.ts'
import { onOwnCluster, startCluster } from '../support/own-cluster.ts'
import { PASSWORD, startService, type LoginBody } from '../support/service.ts'
import { until } from '../support/until.ts'

const MISSING_FOR = 40_000
const CLIENTS = 4

t.test('a synchronous standby that is missing for 40 s makes nobody a thief', { ...onOwnCluster, timeout: 180_000 }, async t => {
  const url = await startCluster(t)
  const configure = (statement: string) => onServer(url, async server => {
    await server.query(statement)
    await server.query('SELECT pg_reload_conf()')
  })
  const service = await startService(t, { DATABASE_URL: url, DATA_DIR: await temporaryDirectory(t) })
  const people = await Promise.all(Array.from({ length: CLIENTS }, service.person))
  const [first] = people
  if (first === undefined) throw new Error('nobody is there')
  const leaving = await service.logIn(first)

  await configure("ALTER SYSTEM SET synchronous_standby_names = 'missing'")
  await until(async () => (await onServer(url, server => server.query<{ setting: string }>("SELECT current_setting('synchronous_standby_names') AS setting"))).rows[0]?.setting === 'missing')
  await pause(500)
  const over = new AbortController()
  const statuses = new Set<number>()
  const verified = new Set<number>()

  // Clients without an Idempotency-Key, which try until they have a response, and then stop.
  const refreshing = Promise.all(people.map(async ({ refreshToken }) => {
    for (;;) {
      const { status, body } = await service.call<LoginBody>('POST /auth/refresh', { json: { refreshToken } })
      statuses.add(status)
      if (status !== 503) return body.refreshToken
      await pause(1_000)
    }
  }))
  const verifying = (async () => {
    while (!over.signal.aborted) {
      verified.add((await service.call('GET /auth/verify', { token: first.accessToken })).status)
      await pause(250)
    }
  })()
  t.equal((await service.call('POST /auth/login', { json: { email: first.email, password: PASSWORD } })).status, 503, 'no login is answered that may be lost')
  t.equal((await service.call('POST /auth/logout', { json: { refreshToken: leaving.refreshToken } })).status, 503, 'and no logout')
  t.match(await service.call('GET /health/ready'), { status: 200, body: { checks: { database: 'ok', revocations: 'ok' } } }, 'reads go on')
  await pause(MISSING_FOR)
  await configure('ALTER SYSTEM RESET synchronous_standby_names')
  const tokens = await refreshing
  over.abort()
  await verifying

  t.strictSame([...statuses].sort(), [200, 503], 'everybody gets the successor in the end')
  t.strictSame([...verified], [200], 'tokens are verified throughout')
  for (const refreshToken of tokens) t.equal((await service.call('POST /auth/refresh', { json: { refreshToken } })).status, 200, 'and goes on')
  t.equal((await service.sql("SELECT FROM sessions WHERE ended_reason = 'reused'")).length, 0)
})
