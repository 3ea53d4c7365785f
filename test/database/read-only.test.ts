import t from 'tap'
import { databaseUrl, onPostgres, onServer, testDatabase } from '../support/database.ts'
import { isReady } from '../support/ready.ts'
import { PASSWORD, startService } from '../support/service.ts'
import { until } from '../support/until.ts'

t.test('a database that turned read-only', { ...onPostgres, timeout: 60_000 }, async t => {
  const { url = databaseUrl ?? '', dataDir } = await testDatabase(t)
  const name = new URL(url).pathname.slice(1)
  const setReadOnly = (value: 'on' | 'off') => onServer(databaseUrl ?? '', async server => {
    await server.query(`ALTER DATABASE ${name} SET default_transaction_read_only = ${value}`)
    await server.query('SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1', [name])
  })
  const service = await startService(t, { DATABASE_URL: url, DATA_DIR: dataDir })
  const [person, leaving] = [await service.person(), await service.person()]
  t.ok(await isReady(service))

  await setReadOnly('on')
  const writes = {
    login: { target: 'POST /auth/login', json: { email: person.email, password: PASSWORD } },
    refresh: { target: 'POST /auth/refresh', json: { refreshToken: person.refreshToken } },
    logout: { target: 'POST /auth/logout', json: { refreshToken: leaving.refreshToken } }
  }
  for (const [what, { target, json }] of Object.entries(writes)) {
    const { status, headers } = await service.call(target, { json })
    t.equal(status, 503, `makes ${what} 503`)
    t.ok(Number(headers['retry-after']) < 30)
  }
  t.equal((await service.call('GET /auth/verify', { token: person.accessToken })).status, 200, 'tokens are verified')
  t.equal((await service.call('GET /auth/me', { token: person.accessToken })).status, 200, 'profiles are read')
  const began = performance.now()
  t.match(await service.call<unknown>('GET /health/ready'), { status: 200, body: { status: 'degraded', checks: { database: 'read_only', revocations: 'ok' } } })
  t.ok(performance.now() - began < 2_000)
  t.match((await service.call('GET /metrics')).text, /^countersign_database_up 0$/m)

  // As after a failover: the connections there are stay with the server that is read-only, and new ones find another.
  await onServer(databaseUrl ?? '', server => server.query(`ALTER DATABASE ${name} RESET default_transaction_read_only`))
  await until(() => isReady(service))
  // Connections of the time before are replaced as they are met, at most once a second.
  for (const { target, json } of Object.values(writes)) await until(async () => (await service.call(target, { json })).status < 300)
  t.match((await service.call('GET /metrics')).text, /^countersign_database_up 1$/m)
})
