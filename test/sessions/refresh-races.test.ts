import t, { type Test } from 'tap'
import { databaseUrl, onPostgres, onServer } from '../support/database.ts'
import { startInstances, type Instance } from '../support/instances.ts'
import type { LoginBody, Person } from '../support/service.ts'
import { refreshTokenOf, sessionIdOf } from './session-rows.ts'

/** How often each race is run. */
const ROUNDS = Number(process.env.RACE_ROUNDS ?? 30)

t.test('two instances on one database', { ...onPostgres, timeout: 600_000 }, async t => {
  if (databaseUrl === undefined) return
  const { instances, databaseUrl: url } = await startInstances(t, {}, {})
  const [a, b] = instances as [Instance, Instance]
  const refresh = (instance: Instance, refreshToken: string) => instance.call<LoginBody>('POST /auth/refresh', { json: { refreshToken } })
  const admin = await a.person()
  await onServer(url, server => server.query("UPDATE users SET role = 'admin' WHERE id = $1", [admin.user.id]))
  const asAdmin = (await a.logIn(admin)).accessToken

  async function isDead (t: Test, tokens: readonly LoginBody[], person: Person): Promise<void> {
    const { rowCount } = await onServer(url, server => server.query('SELECT 1 FROM sessions WHERE user_id = $1 AND ended_at IS NULL', [person.user.id]))
    if (rowCount !== 0) t.fail('no live session remains')
    for (const { accessToken, refreshToken } of tokens) {
      const [verified, refreshed] = [await a.call('GET /auth/verify', { token: accessToken }), await refresh(b, refreshToken)]
      if (verified.status !== 401) t.fail(`an access token is answered ${verified.status}`)
      if (refreshed.status !== 401) t.fail(`a refresh token is answered ${refreshed.status}`)
    }
  }

  t.test(`${ROUNDS} times 16 parallel refreshes of one token make one generation step and give one successor`, async t => {
    let login: LoginBody = await a.person()
    for (let round = 1; round <= ROUNDS; round++) {
      const { refreshToken } = login
      const answers = await Promise.all(Array.from({ length: 16 }, (_, index) => refresh(index % 2 === 0 ? a : b, refreshToken)))
      const successors = new Set(answers.map(({ status, body }) => status === 200 ? body.refreshToken : `${status}`))
      if (successors.size !== 1) t.fail(`round ${round}: ${[...successors].join(' ')}`)
      login = answers[0]?.body ?? login
    }
    t.equal(refreshTokenOf(login).generation, ROUNDS)
    const { rows } = await onServer(url, server => server.query('SELECT generation FROM sessions WHERE id = $1', [sessionIdOf(login)]))
    t.strictSame(rows, [{ generation: ROUNDS }])
  })

  t.test(`${ROUNDS} refreshes racing logout leave nothing that opens anything`, async t => {
    let won = 0
    for (let round = 0; round < ROUNDS; round++) {
      const person = await a.person()
      const [refreshed, loggedOut] = await Promise.all([refresh(b, person.refreshToken), a.call('POST /auth/logout', { token: person.accessToken })])
      t.equal(loggedOut.status, 204)
      if (refreshed.status === 200) won++
      await isDead(t, [person, ...refreshed.status === 200 ? [refreshed.body] : []], person)
    }
    t.comment(`the refresh came first ${won} times`)
  })

  t.test(`${ROUNDS} refreshes and logins racing the disabling of the account leave nothing either`, async t => {
    let [refreshes, logins] = [0, 0]
    for (let round = 0; round < ROUNDS; round++) {
      const person = await a.person()
      const [refreshed, loggedIn, disabled] = await Promise.all([
        refresh(b, person.refreshToken),
        b.call<LoginBody>('POST /auth/login', { json: { email: person.email, password: person.password } }),
        pause(round % 12).then(() => a.call(`PATCH /admin/users/${person.user.id}`, { token: asAdmin, json: { disabled: true } }))
      ])
      t.equal(disabled.status, 200)
      const got = [refreshed, loggedIn].filter(({ status }) => status === 200).map(({ body }) => body)
      if (refreshed.status === 200) refreshes++
      if (loggedIn.status === 200) logins++
      await isDead(t, [person, ...got], person)
    }
    t.comment(`${refreshes} refreshes and ${logins} logins came first`)
  })
})

function pause (ms: number): Promise<void> {
  return new Promise(resolve => { setTimeout(resolve, ms) })
}
