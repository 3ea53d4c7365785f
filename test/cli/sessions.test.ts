import t, { type Test } from 'tap'
import { generateSecret } from '../../src/config/generated-secrets.ts'
import { statefulSession } from '../sessions/session-rows.ts'
import { testDatabase } from '../support/database.ts'
import { clientToken, introspect, registerClient } from '../support/oauth.ts'
import { startService, type Person } from '../support/service.ts'
import { until } from '../support/until.ts'
import { command } from './command.ts'
import { runCommand } from './many-commands.ts'

const SECRETS = { COUNTERSIGN_SECRET: generateSecret(), JWT_SECRET: generateSecret() }

/** A service on a database of its own. Where one process at a time has the database, it is away while a command runs. */
async function world (t: Test) {
  const { url, dataDir } = await testDatabase(t)
  const settings = { ...SECRETS, ...url === undefined ? { DATA_DIR: dataDir } : { DATABASE_URL: url } }
  let service = await startService(t, settings)

  async function statusOf (credential: { token: string } | { session: string }): Promise<number> {
    const { status } = await service.call('GET /auth/verify', 'token' in credential ? credential : { cookies: credential })
    return status
  }

  return {
    settings,
    statusOf,
    get service () { return service },

    async end (...args: string[]) {
      if (url === undefined) await service.app.close()
      const ended = await runCommand(['sessions', 'end', ...args], { settings })
      if (url === undefined) service = await startService(t, settings)
      return ended
    },

    /** Waits until the service, which is not the process that ended it, refuses a session. */
    async refused ({ accessToken: token, refreshToken }: Person, session: string): Promise<boolean> {
      // Two reads of the ledger, for a notification is no promise.
      await until(async () => await statusOf({ token }) === 401, 3_000)
      const refreshed = await service.call('POST /auth/refresh', { json: { refreshToken } })
      return await statusOf({ session }) === 401 && refreshed.status === 401 && refreshed.body.code === 'invalid_refresh_token'
    }
  }
}

t.test('sessions end --all ends every session of every account, and their tokens at once', async t => {
  const here = await world(t)
  const people = [await here.service.person(), await here.service.person()] as const
  const sessions = [(await statefulSession(here.service, people[0])).session, (await statefulSession(here.service, people[1])).session] as const
  for (const [index, { accessToken: token }] of people.entries()) {
    t.equal(await here.statusOf({ token }), 200)
    t.equal(await here.statusOf({ session: sessions[index] ?? '' }), 200)
  }
  const client = await registerClient(here.service)
  const ofClient = await clientToken(here.service, client)

  t.strictSame(await here.end('--all'), { code: 0, stdout: 'Ended 4 sessions of 2 accounts.\n', stderr: '' })

  t.ok(await here.refused(people[0], sessions[0]))
  t.ok(await here.refused(people[1], sessions[1]))
  t.equal((await introspect(here.service, ofClient, client)).active, true, 'clients keep their tokens')
  t.strictSame(await here.service.sql('SELECT kind::text AS kind, count(*)::int AS count FROM revocations GROUP BY kind'), [{ kind: 'user', count: 2 }])
  const audited = await here.service.sql<{ subject: string }>("SELECT subject_id::text AS subject FROM audit_events WHERE action = 'session_end' AND outcome = 'success' AND actor_id IS NULL AND session_id IS NULL")
  t.same(audited.map(({ subject }) => subject).sort(), people.map(({ user }) => user.id).sort(), 'the audit trail tells it of each account, and names nobody who did it')

  t.strictSame(await here.end('--all', '--json'), { code: 0, stdout: '{"sessions":0,"accounts":0}\n', stderr: '' }, 'a second time there is nothing to end')
  for (const person of people) t.equal(await here.statusOf({ token: (await here.service.logIn(person)).accessToken }), 200, 'a new login works')
})

t.test('sessions end --all revokes tokens that are newer than a restored backup', async t => {
  const here = await world(t)
  const person = await here.service.person()
  await here.service.sql('UPDATE users SET version = 40 WHERE id = $1::uuid', person.user.id)
  const { accessToken: token } = await here.service.logIn(person)
  await here.service.sql('UPDATE users SET version = 1, updated_at = now() WHERE id = $1::uuid', person.user.id)
  await here.service.sql("UPDATE sessions SET idle_ends_at = now() - interval '1 second' WHERE user_id = $1::uuid", person.user.id)
  t.match(await here.end('--all'), { code: 0, stdout: 'Ended 0 sessions of 0 accounts.\n' }, 'sessions that had expired in the backup are not counted')
  await until(async () => await here.statusOf({ token }) === 401, 3_000)
  t.equal(await here.statusOf({ token: (await here.service.logIn(person)).accessToken }), 200)
})

t.test('sessions end --all takes more accounts than one statement does', async t => {
  const here = await world(t)
  await here.service.sql("INSERT INTO users (id, email, updated_at) SELECT gen_random_uuid(), 'user' || n || '@example.com', now() FROM generate_series(1, 250) AS n")
  await here.service.sql(`
    INSERT INTO sessions (id, user_id, channel, nonce, key_id, idle_ends_at, ends_at)
    SELECT gen_random_uuid(), id, 'body', '\\x00', 'key', now() + interval '1 day', now() + interval '1 day' FROM users, generate_series(1, 2)`)
  t.match(await here.end('--all', '--json'), { code: 0, stdout: '{"sessions":500,"accounts":250}\n', stderr: '' })
})

t.test('sessions end --user ends those of one account, by its address or its id', async t => {
  const here = await world(t)
  const [ada, other] = [await here.service.person(), await here.service.person()]
  const { session } = await statefulSession(here.service, ada)
  t.strictSame(await here.end('--user', ada.email.toUpperCase()), { code: 0, stdout: `Ended all sessions of ${ada.email}, id ${ada.user.id}.\n`, stderr: '' })
  t.ok(await here.refused(ada, session))
  t.equal(await here.statusOf({ token: other.accessToken }), 200)
  t.match(await here.end('--user', other.user.id, '--json'), { code: 0, stdout: `{"id":"${other.user.id}"}\n` })
  await until(async () => await here.statusOf({ token: other.accessToken }) === 401, 3_000)
  t.match(await here.end('--user', 'nobody@example.com'), { code: 1, stdout: '', stderr: 'There is no account nobody@example.com.\n' })
})

t.test('sessions end asks whose', async t => {
  const wrong: Array<[args: string[], said: RegExp]> = [
    [[], /--all ends every session of every account, and everybody has to log in again/],
    [['--all', '--user', 'ada@example.com'], /cannot be used with/],
    [['--user', 'nobody'], /neither the id nor the e-mail address/]
  ]
  for (const [args, said] of wrong) t.match(await runCommand(['sessions', 'end', ...args]), { code: 2, stdout: '', stderr: said }, args.join(' '))
  t.equal((await command(t, ['sessions', 'end']).ended).code, 2)
})
