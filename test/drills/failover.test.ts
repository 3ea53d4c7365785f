import { setTimeout as pause } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { tcpProxy } from '../database/tcp-proxy.ts'
import { onServer, temporaryDirectory } from '../support/database.ts'
import { onOwnCluster, startPrimary, startStandby, type Standby } from '../support/own-cluster.ts'
import { PASSWORD, startService, type LoginBody, type TestService } from '../support/service.ts'
import { until } from '../support/until.ts'

const CLIENTS = 12
// A client refreshes so often, in ms: at most twice in what is lost.
const REFRESH_EVERY = 700
const LOST = 1_000

interface Scenario {
  name: string
  isSynchronous: boolean
  /** How much of what the primary answered last is not in the standby, in ms. */
  behind: number
  /** The longest that a client may have been without an answer of success, in ms. */
  longestGap: number
}

const SCENARIOS: readonly Scenario[] = [
  { name: 'a synchronous standby', isSynchronous: true, behind: 0, longestGap: 10_000 },
  { name: 'an asynchronous standby that has caught up', isSynchronous: false, behind: 0, longestGap: 10_000 },
  { name: `an asynchronous standby that is ${LOST} ms behind`, isSynchronous: false, behind: LOST, longestGap: 10_000 }
]

for (const scenario of SCENARIOS) {
  t.test(`a failover to ${scenario.name}, under load on two instances`, { ...onOwnCluster, timeout: 180_000 }, async t => failOver(t, scenario))
}

async function failOver (t: Test, { isSynchronous, behind, longestGap }: Scenario): Promise<void> {
  const primary = await startPrimary(t)
  const standby = await startStandby(t, primary, 'second')
  if (isSynchronous) await becomeSynchronous(primary.url)
  const address = await tcpProxy(primary.url)
  t.teardown(() => address.close())
  const settings = { DATABASE_URL: address.url, DATA_DIR: await temporaryDirectory(t), DATABASE_POOL_SIZE: '10' }
  const one = await startService(t, settings)
  const secrets = { COUNTERSIGN_SECRET: one.config.secrets.join(), JWT_SECRET: one.config.jwtSecrets.join() }
  const services = [one, await startService(t, { ...settings, ...secrets })]
  const serviceOf = (index: number): TestService => services[index % services.length] ?? one

  const over = new AbortController()
  const people = await Promise.all(Array.from({ length: CLIENTS }, one.person))
  const clients = people.map(({ refreshToken }) => ({ refreshToken, hadAt: performance.now(), gap: 0, refused: 0 }))
  const verified: Record<string, number> = {}
  const left: Array<{ session: LoginBody, at: number }> = []
  const returned: Record<string, number> = {}
  let oldest = 0

  async function refresh (client: typeof clients[number], service: TestService): Promise<number> {
    const { status, body } = await service.call<LoginBody>('POST /auth/refresh', { json: { refreshToken: client.refreshToken } })
    if (status === 401) client.refused++
    if (status !== 200) return status
    const now = performance.now()
    client.gap = Math.max(client.gap, now - client.hadAt)
    Object.assign(client, { refreshToken: body.refreshToken, hadAt: now })
    return status
  }

  // A client without an Idempotency-Key, which repeats a request that failed at the other instance.
  async function goOn (client: typeof clients[number], index: number): Promise<void> {
    for (let turn = index; !over.signal.aborted; turn++) {
      await pause(await refresh(client, serviceOf(turn)) === 200 ? REFRESH_EVERY : 50)
      if (client.refused > 0) return
    }
  }

  async function verify (service: TestService): Promise<void> {
    while (!over.signal.aborted) {
      const { status } = await service.call('GET /auth/verify', { token: people[0]?.accessToken ?? '' })
      verified[status] = (verified[status] ?? 0) + 1
      oldest = Math.max(oldest, Number(/^countersign_revocations_age_seconds ([\d.]+)/m.exec((await service.call('GET /metrics')).text)?.[1] ?? 0))
      await pause(20)
    }
  }

  async function logInAndOut (index: number): Promise<void> {
    for (let turn = index; !over.signal.aborted; turn++) {
      const { email } = people[turn % people.length] ?? { email: '' }
      const login = await serviceOf(turn).call<LoginBody>('POST /auth/login', { json: { email, password: PASSWORD } })
      if (login.status === 200) await leave(login.body, turn)
      await pause(50)
    }
  }

  async function leave (session: LoginBody, turn: number): Promise<void> {
    await pause(300)
    const { status } = await serviceOf(turn).call('POST /auth/logout', { json: { refreshToken: session.refreshToken } })
    if (status === 204) left.push({ session, at: performance.now() })
  }

  const load = Promise.all([...clients.map(goOn), ...services.map(verify), logInAndOut(0), logInAndOut(1)])
  await until(() => left.length > 4)
  if (behind > 0) {
    standby.wire.freeze()
    await pause(behind)
  } else if (!isSynchronous) await caughtUp(primary.url)
  const before = left.length
  primary.kill()
  const failedAt = performance.now()
  // Whoever was logged out tries to come back, all the while.
  const comingBack = Promise.all([...left].map(async ({ session }, index) => {
    let { refreshToken } = session
    for (let turn = index; !over.signal.aborted; turn++) {
      const { status, body } = await serviceOf(turn).call<LoginBody>('POST /auth/refresh', { json: { refreshToken } })
      returned[status] = (returned[status] ?? 0) + 1
      if (status === 200) refreshToken = body.refreshToken
      await pause(100)
    }
  }))
  await standby.promote()
  address.lead(standby.url)
  const promoted = performance.now() - failedAt
  await until(() => clients.every(({ hadAt, refused }) => refused > 0 || hadAt > failedAt + promoted), 30_000)
  await until(() => left.length > before + 2, 30_000)
  // Both look once a second whether the ledger is another.
  await until(() => restored(standby, left.map(({ session }) => session)), 10_000)
  over.abort()
  await Promise.all([load, comingBack])

  const gap = Math.max(...clients.map(client => client.gap)) - REFRESH_EVERY
  t.comment(JSON.stringify({ gap: Math.round(gap), oldestLedger: oldest, promoted: Math.round(promoted), verified, leftBefore: before, returned, lockedOut: clients.filter(({ refused }) => refused > 0).length }))
  t.strictSame(Object.keys(verified), ['200'], 'tokens are verified throughout')
  t.equal(clients.filter(({ refused }) => refused > 0).length, 0, 'nobody who refreshed is locked out')
  for (const [index, client] of clients.entries()) t.equal(await refresh(client, serviceOf(index)), 200, 'and everybody goes on with the newest token')
  t.ok(gap < longestGap, `the longest gap is ${Math.round(gap)} ms`)
  t.strictSame(Object.keys(returned).sort(), ['401'], 'no session that was logged out is refreshed at any time')
  const late = await startService(t, { ...settings, ...secrets })
  for (const { session: { accessToken, refreshToken } } of left) {
    for (const service of [...services, late]) {
      t.equal((await service.call('GET /auth/verify', { token: accessToken })).status, 401, 'who has logged out stays so')
      t.equal((await service.call('POST /auth/refresh', { json: { refreshToken } })).status, 401)
    }
  }
}

async function becomeSynchronous (url: string): Promise<void> {
  await onServer(url, async server => {
    await server.query("ALTER SYSTEM SET synchronous_standby_names = 'second'")
    await server.query('SELECT pg_reload_conf()')
  })
  await until(() => onServer(url, async server => (await server.query("SELECT FROM pg_stat_replication WHERE sync_state = 'sync'")).rowCount === 1))
}

/** Waits for a moment at which the standby has everything. */
async function caughtUp (url: string): Promise<void> {
  await onServer(url, async server => {
    await until(async () => (await server.query('SELECT FROM pg_stat_replication WHERE replay_lsn = pg_current_wal_lsn()')).rowCount === 1)
  })
}

/** Whether no session is live in the database that was logged out. */
async function restored (standby: Standby, sessions: readonly LoginBody[]): Promise<boolean> {
  const ids = sessions.map(({ refreshToken }) => refreshToken.split('.')[0] ?? '')
  const { rowCount } = await onServer(standby.url, server => server.query('SELECT FROM sessions WHERE id = ANY ($1::uuid[]) AND ended_at IS NULL', [ids]))
  return rowCount === 0
}
