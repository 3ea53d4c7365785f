import t, { type Test } from 'tap'
import { tcpProxy } from '../database/tcp-proxy.ts'
import { databaseUrl, onPostgres, onServer, testDatabase } from '../support/database.ts'
import { present } from '../support/presence.ts'
import { isReady } from '../support/ready.ts'
import { startService, PASSWORD, type Answer } from '../support/service.ts'
import { until } from '../support/until.ts'
import { rowOf, statefulSession } from './session-rows.ts'

/** The service, with a connection to its database that can be cut. */
async function behindProxy (t: Test, settings: Record<string, string> = {}) {
  const { url = databaseUrl ?? '', dataDir } = await testDatabase(t)
  const proxy = await tcpProxy(url)
  t.teardown(() => proxy.close())
  const service = await startService(t, { DATABASE_URL: proxy.url, DATA_DIR: dataDir, ...settings })
  return { service, proxy, url }
}

function isUnavailable (t: Test, { status, body, headers }: Answer<{ code?: string }>, what: string): void {
  t.match({ status, body }, { status: 503, body: { code: 'unavailable' } }, what)
  const wait = Number(headers['retry-after'])
  t.ok(wait >= 1 && wait < 30, `${what}: Retry-After is shorter than the window of a repeat`)
}

t.test('while the database is cut off', { ...onPostgres, timeout: 120_000 }, async t => {
  const { service, proxy, url } = await behindProxy(t, { REVOCATION_MAX_STALENESS: '6s' })
  const person = await service.person()
  const [loggingOut, other] = [await service.person(), await service.person()]
  const verify = (token = person.accessToken) => service.call('GET /auth/verify', { token })
  const refresh = (refreshToken: string) => service.call<{ code?: string }>('POST /auth/refresh', { json: { refreshToken } })
  const logIn = () => service.call<{ code?: string }>('POST /auth/login', { json: { email: person.email, password: PASSWORD } })

  await proxy.cut()
  const cutAt = performance.now()
  t.equal((await verify()).status, 200, 'tokens are verified all the same')

  const ready = await service.call<{ checks: unknown }>('GET /health/ready')
  t.ok(performance.now() - cutAt < 2_000)
  t.match(ready, { status: 200, body: { status: 'degraded', checks: { database: 'down', revocations: 'ok' } } })
  t.equal((await service.call('GET /health/live')).status, 200)

  isUnavailable(t, await refresh(person.refreshToken), 'refresh')
  isUnavailable(t, await logIn(), 'login')
  isUnavailable(t, await service.call('POST /auth/logout', { token: loggingOut.accessToken }), 'logout')
  isUnavailable(t, await service.call('GET /auth/sessions', { token: person.accessToken }), 'the list of devices')
  isUnavailable(t, await service.call('POST /auth/password', present(person, { currentPassword: PASSWORD, newPassword: 'a staple of nine words' })), 'a new password')
  t.equal((await verify(loggingOut.accessToken)).status, 200, 'a logout that was not stored is none')
  t.equal((await verify()).status, 200)

  await until(async () => (await verify()).status !== 200, 12_000)
  const bound = (performance.now() - cutAt) / 1000
  t.ok(bound > 4.9 && bound < 8, `past the freshness bound nothing is verified: ${bound.toFixed(1)} s`)
  isUnavailable(t, await verify() as Answer<{ code?: string }>, 'verify')
  const notReady = await service.call<{ checks: unknown }>('GET /health/ready')
  t.match(notReady, { status: 503, body: { status: 'unavailable', checks: { database: 'down', revocations: 'stale' } }, headers: { 'retry-after': /^\d+$/ } }, 'and the service is not ready')
  t.match(await service.call('GET /auth/verify', { token: 'x' }), { status: 401 }, 'what never was a token is still none')

  // Meanwhile another instance ends a session.
  await onServer(url, server => server.query(`
    WITH ended AS (UPDATE sessions SET ended_at = now() WHERE user_id = $1 RETURNING id)
    INSERT INTO revocations (kind, subject, expires_at, xid) SELECT 'session', id::text, now() + interval '1 hour', pg_current_xact_id()::text::bigint FROM ended`, [other.user.id]))
  await proxy.heal()
  await until(async () => (await verify()).status === 200)
  t.equal((await verify(other.accessToken)).status, 401, 'what ended meanwhile is refused by the first answer after it heals')
  t.ok(await isReady(service))
  t.equal((await refresh(person.refreshToken)).status, 200, 'no honest client was logged out')
  t.equal((await logIn()).status, 200)
  t.match(await rowOf(service, loggingOut), { endedReason: null }, 'what was answered 503 was not stored')
  t.equal((await service.call('POST /auth/logout', { token: loggingOut.accessToken })).status, 204)
  t.equal((await verify(loggingOut.accessToken)).status, 401)
})

t.test('a database that stops responding', { ...onPostgres, timeout: 120_000 }, async t => {
  const { service, proxy } = await behindProxy(t)
  const person = await service.person()
  t.teardown(() => proxy.heal())
  proxy.freeze()
  const began = performance.now()
  const [ready, verified, refreshed, loggedOut] = await Promise.all([
    service.call('GET /health/ready').then(({ status }) => ({ status, ms: performance.now() - began })),
    service.call('GET /auth/verify', { token: person.accessToken }),
    service.call<{ code?: string }>('POST /auth/refresh', { json: { refreshToken: person.refreshToken } }),
    service.call<{ code?: string }>('POST /auth/logout', { token: person.accessToken })
  ])
  t.equal(ready.status, 200)
  t.ok(ready.ms < 2_000)
  t.equal(verified.status, 200)
  isUnavailable(t, refreshed, 'refresh')
  isUnavailable(t, loggedOut, 'logout')
  t.ok(performance.now() - began < 9_000, 'no request waits for ever')
  await proxy.heal()
  await until(async () => await isReady(service), 15_000)
  await until(async () => (await service.call('POST /auth/refresh', { json: { refreshToken: person.refreshToken } })).status === 200, 15_000)
})

t.test('a logout whose answer from the database was lost', { ...onPostgres, timeout: 60_000 }, async t => {
  const { service, proxy } = await behindProxy(t)
  for (let round = 0; round < 5; round++) {
    const person = await service.person()
    const logout = service.call('POST /auth/logout', { token: person.accessToken })
    await new Promise(resolve => { setTimeout(resolve, round) })
    await proxy.cut()
    const { status } = await logout
    await proxy.heal()
    await until(async () => await isReady(service), 15_000)
    const row = await rowOf(service, person)
    t.ok(status === 503 || (status === 204 && row?.endedReason === 'logout'), `is acknowledged only if it was stored (${status}, ${row?.endedReason})`)
    if (row?.endedReason === 'logout') await until(async () => (await service.call('GET /auth/verify', { token: person.accessToken })).status === 401, 5_000)
    else t.equal((await service.call('POST /auth/logout', { token: person.accessToken })).status, 204)
  }
})

t.test('a stateful session is served from the cache while Postgres is cut off', { ...onPostgres, timeout: 60_000 }, async t => {
  const { service, proxy } = await behindProxy(t, { REVOCATION_MAX_STALENESS: '4s' })
  const person = await service.person()
  const [known, unknown] = [await statefulSession(service, person), await statefulSession(service, person)]
  const verify = (cookies: { session: string }) => service.call<{ code?: string }>('GET /auth/verify', { cookies })
  t.equal((await verify(known)).status, 200)
  await proxy.cut()
  t.equal((await verify(known)).status, 200)
  isUnavailable(t, await verify(unknown), 'one that is not cached: not 401, for it cannot be checked')
  await until(async () => (await verify(known)).status !== 200, 10_000)
  isUnavailable(t, await verify(known), 'past the freshness bound')
  await proxy.heal()
  await until(async () => (await verify(unknown)).status === 200)
  t.equal((await verify(known)).status, 200)
})
