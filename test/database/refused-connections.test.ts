import t, { type Test } from 'tap'
import { databaseUrl, onPostgres, onServer, testDatabase } from '../support/database.ts'
import { present } from '../support/presence.ts'
import { PASSWORD, startService } from '../support/service.ts'
import { until } from '../support/until.ts'

interface Refusal {
  /** SQL on the server, where `$db` and `$role` stand for the service's database and role. */
  refuse: string
  admit: string
}

const REFUSALS: Record<string, Refusal> = {
  'a database that is closed for upkeep (55000)': { refuse: 'ALTER DATABASE $db ALLOW_CONNECTIONS false', admit: 'ALTER DATABASE $db ALLOW_CONNECTIONS true' },
  'a role that may not log in any more (28000)': { refuse: 'ALTER ROLE $role NOLOGIN', admit: 'ALTER ROLE $role LOGIN' },
  'a database of another name (3D000)': { refuse: 'ALTER DATABASE $db RENAME TO $db_away', admit: 'ALTER DATABASE $db_away RENAME TO $db' },
  'a role without the right to connect (42501)': { refuse: 'REVOKE CONNECT ON DATABASE $db FROM PUBLIC', admit: 'GRANT CONNECT ON DATABASE $db TO PUBLIC' },
  'a role whose connections are used up (53300)': { refuse: 'ALTER ROLE $role CONNECTION LIMIT 0', admit: 'ALTER ROLE $role CONNECTION LIMIT -1' }
}

t.test('whatever keeps a connection from opening is an outage', { ...onPostgres, timeout: 120_000 }, async t => {
  for (const [name, refusal] of Object.entries(REFUSALS)) await t.test(name, t => isAnOutage(t, refusal))
})

async function isAnOutage (t: Test, { refuse, admit }: Refusal): Promise<void> {
  const { url = databaseUrl ?? '', dataDir } = await testDatabase(t)
  const database = new URL(url).pathname.slice(1)
  const role = `${database}_role`
  const onCluster = (sql: string) => onServer(databaseUrl ?? '', server => server.query(sql.replaceAll('$db', database).replaceAll('$role', role)))
  await onCluster('CREATE ROLE $role LOGIN')
  await onServer(url, server => server.query(`GRANT ALL ON ALL TABLES IN SCHEMA public TO ${role}; GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO ${role}`))
  t.teardown(async () => {
    await onServer(url, server => server.query(`DROP OWNED BY ${role}`))
    await onCluster('DROP ROLE $role')
  })
  const own = new URL(url)
  own.username = role
  const service = await startService(t, { DATABASE_URL: own.href, DATA_DIR: dataDir })
  const [person, leaving] = [await service.person(), await service.person()]
  const disconnect = () => onCluster("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname IN ('$db', '$db_away') AND pid <> pg_backend_pid()")

  // A database is not renamed while the service reads its ledger there.
  await until(async () => {
    await disconnect()
    return onCluster(refuse).then(() => true, () => false)
  })
  await disconnect()

  const requests = {
    login: service.call('POST /auth/login', { json: { email: person.email, password: PASSWORD } }),
    refresh: service.call('POST /auth/refresh', { json: { refreshToken: person.refreshToken } }),
    profile: service.call('GET /auth/me', { token: person.accessToken }),
    logout: service.call('POST /auth/logout', { token: leaving.accessToken }),
    // In a transaction of Prisma.
    password: service.call('POST /auth/password', present(person, { currentPassword: PASSWORD, newPassword: 'a staple of nine words' })),
    register: service.call('POST /auth/register', { json: { email: 'new@example.com', password: PASSWORD } })
  }
  for (const [what, answer] of Object.entries(requests)) {
    const { status, body, headers } = await answer
    t.match({ status, body, headers }, { status: 503, body: { code: 'unavailable' }, headers: { 'retry-after': /^\d+$/ } }, what)
  }
  t.equal((await service.call('GET /auth/verify', { token: person.accessToken })).status, 200, 'tokens are verified all the same')

  await onCluster(admit)
  t.equal((await service.call('POST /auth/refresh', { json: { refreshToken: person.refreshToken } })).status, 200, 'the service recovers by itself')
  t.equal((await service.call('POST /auth/logout', { token: leaving.accessToken })).status, 204)
}
