import { randomBytes } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import t from 'tap'
import { tcpProxy } from '../database/tcp-proxy.ts'
import { databaseUrl, onPostgres, onServer, testDatabase } from '../support/database.ts'
import { isReady } from '../support/ready.ts'
import { startService, PASSWORD, type Answer, type LoginBody } from '../support/service.ts'
import { until } from '../support/until.ts'
import { sessionIdOf } from '../sessions/session-rows.ts'

const OUTAGE = 10_000
const CLIENTS = 4

t.test('ten seconds without a database, under load', { ...onPostgres, timeout: 120_000 }, async t => {
  const { url = databaseUrl ?? '', dataDir } = await testDatabase(t)
  const proxy = await tcpProxy(url)
  t.teardown(() => proxy.close())
  const service = await startService(t, { DATABASE_URL: proxy.url, DATA_DIR: dataDir })
  const over = new AbortController()

  /** Repeats requests until the load is over. @returns how often each status was returned */
  async function load (ask: () => Promise<number | string>, every: number): Promise<Record<string, number>> {
    const counts: Record<string, number> = {}
    while (!over.signal.aborted) {
      const outcome = await ask()
      counts[outcome] = (counts[outcome] ?? 0) + 1
      await pause(every)
    }
    return counts
  }

  /** A status; of a 503, whether its Retry-After is within the window of a repeat. */
  function outcomeOf ({ status, headers }: Answer<unknown>): number | string {
    const wait = Number(headers['retry-after'])
    return status === 503 && !(wait >= 1 && wait < 30) ? '503 without a time' : status
  }

  const verifying = await service.person()
  const people = await Promise.all(Array.from({ length: CLIENTS }, service.person))
  const leaving: LoginBody[] = []
  const acknowledged: LoginBody[] = []

  // A client by the protocol: it stores a key before it sends a request, repeats the request until there is a response, and stores that.
  const clients = people.map(({ refreshToken }) => ({ refreshToken, key: '' }))
  async function refresh (client: typeof clients[number]): Promise<number | string> {
    if (client.key === '') client.key = randomBytes(16).toString('base64url')
    const answer = await service.call<LoginBody>('POST /auth/refresh', { json: { refreshToken: client.refreshToken }, headers: { 'idempotency-key': client.key } })
    if (answer.status === 200) Object.assign(client, { refreshToken: answer.body.refreshToken, key: '' })
    return outcomeOf(answer)
  }

  async function logInAndOut (): Promise<number | string> {
    const { email } = people[0] ?? verifying
    const login = leaving.length > 20 ? undefined : await service.call<LoginBody>('POST /auth/login', { json: { email, password: PASSWORD } })
    if (login?.status === 200) leaving.push(login.body)
    const [session] = leaving
    if (session === undefined) return login === undefined ? 'nobody' : outcomeOf(login)
    const answer = await service.call('POST /auth/logout', { json: { refreshToken: session.refreshToken } })
    if (answer.status === 204) acknowledged.push(...leaving.splice(0, 1))
    return login === undefined || login.status === 200 ? outcomeOf(answer) : outcomeOf(login)
  }

  const loads = Promise.all([
    load(async () => outcomeOf(await service.call('GET /auth/verify', { token: verifying.accessToken })), 10),
    load(async () => (await Promise.all(clients.map(refresh))).sort().at(-1) ?? 'nobody', 100),
    load(logInAndOut, 100)
  ])
  await until(() => acknowledged.length > 3)
  await proxy.cut()
  const cutAt = performance.now()
  const ready = await service.call<{ checks: unknown }>('GET /health/ready')
  t.match(ready, { status: 200, body: { status: 'degraded', checks: { database: 'down', revocations: 'ok' } } })
  t.ok(performance.now() - cutAt < 2_000, 'the lost dependency is named within 2 s')
  await pause(OUTAGE - (performance.now() - cutAt))
  await proxy.heal()
  await until(async () => await isReady(service))
  await Promise.all(clients.map(async client => until(async () => await refresh(client) === 200)))
  over.abort()
  const [verified, refreshed, loggedInAndOut] = await loads
  t.comment(JSON.stringify({ verified, refreshed, loggedInAndOut, acknowledged: acknowledged.length }))

  t.strictSame(Object.keys(verified), ['200'], 'tokens are verified throughout')
  t.strictSame(Object.keys(refreshed).sort(), ['200', '503'], 'nobody is logged out by a repeat')
  t.strictSame(Object.keys(loggedInAndOut).sort(), ['204', '503'])
  const stored = await onServer(url, server => server.query<{ id: string }>("SELECT id FROM sessions WHERE ended_reason = 'logout'"))
  const ids = new Set(stored.rows.map(({ id }) => id))
  t.strictSame(acknowledged.filter(session => !ids.has(sessionIdOf(session))), [], 'no logout was acknowledged that was not stored')
  for (const { accessToken } of acknowledged) t.equal((await service.call('GET /auth/verify', { token: accessToken })).status, 401)
  for (const client of clients) t.equal(await refresh(client), 200, 'every honest client goes on')
  t.equal((await service.call('POST /auth/login', { json: { email: verifying.email, password: PASSWORD } })).status, 200)
})
