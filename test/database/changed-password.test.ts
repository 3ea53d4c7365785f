import { readFileSync, writeFileSync } from 'node:fs'
import t from 'tap'
import { openDatabase } from '../../src/database/open-database.ts'
import { onServer, silent, temporaryDirectory } from '../support/database.ts'
import { onOwnCluster, startCluster } from '../support/own-cluster.ts'
import { PASSWORD, startService } from '../support/service.ts'

t.test("a role's password that was changed is an outage (28P01)", { ...onOwnCluster, timeout: 120_000 }, async t => {
  const url = await startCluster(t)
  const asOperator = (sql: string) => onServer(url, server => server.query<{ hba_file: string }>(sql))
  await asOperator("CREATE ROLE service LOGIN PASSWORD 'first'; GRANT ALL ON SCHEMA public TO service")
  const [{ hba_file: file } = { hba_file: '' }] = (await asOperator('SHOW hba_file')).rows
  writeFileSync(file, `host all service 127.0.0.1/32 scram-sha-256\n${readFileSync(file, 'utf8')}`)
  await asOperator('SELECT pg_reload_conf()')
  const own = new URL(url)
  own.username = 'service'
  own.password = 'first'
  const dataDir = await temporaryDirectory(t)
  const service = await startService(t, { DATABASE_URL: own.href, DATA_DIR: dataDir })
  const [person, leaving] = [await service.person(), await service.person()]

  await asOperator("ALTER ROLE service PASSWORD 'second'")
  await asOperator("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'service'")
  await t.rejects(openDatabase({ url: own.href, dataDir, log: silent }), { code: 'authentication_refused' }, 'a start says why')
  for (const [what, answer] of [
    ['login', service.call('POST /auth/login', { json: { email: person.email, password: PASSWORD } })],
    ['refresh', service.call('POST /auth/refresh', { json: { refreshToken: person.refreshToken } })],
    ['logout', service.call('POST /auth/logout', { token: leaving.accessToken })]
  ] as const) t.match(await answer, { status: 503, body: { code: 'unavailable' }, headers: { 'retry-after': /^\d+$/ } }, what)
  t.equal((await service.call('GET /auth/verify', { token: person.accessToken })).status, 200)
  t.match(await service.call('GET /health/ready'), { status: 200, body: { checks: { database: 'down' } } })
  t.notMatch(service.logText(), /first|second/, 'and no log has the password')

  await asOperator("ALTER ROLE service PASSWORD 'first'")
  t.equal((await service.call('POST /auth/refresh', { json: { refreshToken: person.refreshToken } })).status, 200, 'the service recovers by itself')
  t.equal((await service.call('POST /auth/logout', { token: leaving.accessToken })).status, 204)
})
