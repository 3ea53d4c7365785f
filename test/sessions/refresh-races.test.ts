import { setTimeout as pause } from 'node:timers/promises'
import t from 'tap'
import { databaseUrl, onPostgres, onServer } from '../support/database.ts'
import { startInstances, type Instance } from '../support/instances.ts'
import { present } from '../support/presence.ts'
import type { LoginBody, Person } from '../support/service.ts'
import { refreshTokenOf, sessionIdOf } from './session-rows.ts'

/** How often each race is run. */
const ROUNDS = Number(process.env.RACE_ROUNDS ?? 30)

t.test('two instances on one database', { ...onPostgres, timeout: 600_000 }, async t => {
  if (databaseUrl === undefined) return
  const { instances, databaseUrl: url } = await startInstances(t, {}, {})
  const [a, b] = instances
  const refresh = (instance: Instance, refreshToken: string) => instance.call<LoginBody>('POST /auth/refresh', { json: { refreshToken } })
  const admin = await a.person()
  await onServer(url, server => server.query("UPDATE users SET role = 'admin' WHERE id = $1", [admin.user.id]))

  /** What is still accepted after all of a user's sessions should have ended. */
  async function leftOf (person: Person, logins: readonly LoginBody[]): Promise<string[]> {
    const { rows } = await onServer(url, server => server.query('SELECT id FROM sessions WHERE user_id = $1 AND ended_at IS NULL', [person.user.id]))
    const answers = await Promise.all(logins.flatMap(({ accessToken, refreshToken }) => [a.call('GET /auth/verify', { token: accessToken }), refresh(b, refreshToken)]))
    return [...rows.map(() => 'a live session'), ...answers.filter(({ status }) => status !== 401).map(({ status }) => `a token answered ${status}`)]
  }

  t.test(`${ROUNDS} times 16 parallel refreshes of one token make one generation step and give one successor`, async t => {
    let login: LoginBody = await a.person()
    for (let round = 1; round <= ROUNDS; round++) {
      const { refreshToken } = login
      const answers = await Promise.all(Array.from({ length: 16 }, (_, index) => refresh(index % 2 === 0 ? a : b, refreshToken)))
      const successors = new Set(answers.map(({ status, body }) => status === 200 ? body.refreshToken : `${status}`))
      t.equal(successors.size, 1, `round ${round}`)
      login = answers[0]?.body ?? login
    }
    t.equal(refreshTokenOf(login).generation, ROUNDS)
    const { rows } = await onServer(url, server => server.query('SELECT generation FROM sessions WHERE id = $1', [sessionIdOf(login)]))
    t.strictSame(rows, [{ generation: ROUNDS }])
  })

  t.test(`${ROUNDS} refreshes racing logout leave no valid credential`, async t => {
    let won = 0
    for (let round = 0; round < ROUNDS; round++) {
      const person = await a.person()
      const [refreshed, loggedOut] = await Promise.all([refresh(b, person.refreshToken), a.call('POST /auth/logout', { token: person.accessToken })])
      t.equal(loggedOut.status, 204)
      if (refreshed.status === 200) won++
      t.strictSame(await leftOf(person, [person, ...refreshed.status === 200 ? [refreshed.body] : []]), [])
    }
    t.comment(`the refresh came first ${won} times`)
  })

  t.test(`${ROUNDS} refreshes and logins racing the disabling of the account leave none either`, async t => {
    let [refreshes, logins] = [0, 0]
    for (let round = 0; round < ROUNDS; round++) {
      const person = await a.person()
      const asAdmin = await a.logIn(admin)
      const [refreshed, loggedIn, disabled] = await Promise.all([
        refresh(b, person.refreshToken),
        b.call<LoginBody>('POST /auth/login', { json: { email: person.email, password: person.password } }),
        pause(round * 7 % 80).then(() => a.call(`PATCH /admin/users/${person.user.id}`, present(asAdmin, { disabled: true })))
      ])
      t.equal(disabled.status, 200)
      const got = [refreshed, loggedIn].filter(({ status }) => status === 200).map(({ body }) => body)
      if (refreshed.status === 200) refreshes++
      if (loggedIn.status === 200) logins++
      t.strictSame(await leftOf(person, [person, ...got]), [])
    }
    t.comment(`${refreshes} refreshes and ${logins} logins came first`)
  })
})
