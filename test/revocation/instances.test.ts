import { fileURLToPath } from 'node:url'
import t from 'tap'
import { rowOf, sessionIdOf, statefulSession } from '../sessions/session-rows.ts'
import { onPostgres, onServer } from '../support/database.ts'
import { startInstances, type Instance } from '../support/instances.ts'
import type { LoginBody } from '../support/service.ts'
import { until } from '../support/until.ts'

const AHEAD = fileURLToPath(new URL('clock-ahead.js', import.meta.url))
const WITHOUT_LISTEN = fileURLToPath(new URL('without-listen.js', import.meta.url))

t.test('three instances on one database', { ...onPostgres, timeout: 120_000 }, async t => {
  // The third one's clock is 3 s ahead of the others'.
  const { instances, databaseUrl } = await startInstances(t, {}, {}, { NODE_OPTIONS: `--import=${AHEAD}` })
  const [a, b, ahead] = instances
  const verify = async (instance: Instance, token: string) => (await instance.call('GET /auth/verify', { token })).status
  const refresh = (instance: Instance, refreshToken: string) => instance.call<LoginBody>('POST /auth/refresh', { json: { refreshToken } })
  const sql = async (text: string, ...values: unknown[]) => (await onServer(databaseUrl, server => server.query(text, values))).rows as Array<Record<string, unknown>>

  t.test('accept one another\'s tokens and sessions', async t => {
    const person = await a.person()
    for (const instance of instances) t.equal(await verify(instance, person.accessToken), 200)
    const { status, body } = await refresh(b, person.refreshToken)
    t.equal(status, 200)
    for (const instance of instances) t.equal(await verify(instance, body.accessToken), 200)
    const { session } = await statefulSession(a, person)
    for (const instance of instances) t.equal((await instance.call('GET /auth/verify', { cookies: { '__Host-session': session } })).status, 200)
  })

  t.test('refuse within a moment what another one has revoked', async t => {
    for (const end of instances) {
      const person = await a.person()
      const { session } = await statefulSession(b, person)
      for (const instance of instances) t.equal((await instance.call('GET /auth/verify', { cookies: { '__Host-session': session } })).status, 200)
      t.equal((await end.call('POST /auth/logout', { token: person.accessToken })).status, 204)
      t.equal(await verify(end, person.accessToken), 401, 'here at once')
      await end.call('POST /auth/logout', { cookies: { '__Host-session': session }, headers: { 'x-countersign': '1' } })
      for (const instance of instances) {
        await until(async () => await verify(instance, person.accessToken) === 401, 1_600)
        await until(async () => (await instance.call('GET /auth/verify', { cookies: { '__Host-session': session } })).status === 401, 1_600)
        t.equal((await refresh(instance, person.refreshToken)).status, 401)
      }
    }
  })

  t.test('use the clock of the database for logging in, refreshing and revoking, even with a clock 3 s ahead', async t => {
    const person = await ahead.person()
    const [row] = await sql('SELECT abs(extract(epoch FROM now() - created_at)) < 2 AS now, extract(epoch FROM ends_at - created_at)::float8 AS life FROM sessions WHERE id = $1', sessionIdOf(person))
    t.match(row, { now: true, life: 90 * 86_400 })
    for (const instance of instances) t.equal(await verify(instance, person.accessToken), 200, 'no token is of the future')
    const refreshed = await refresh(ahead, person.refreshToken)
    for (const instance of instances) t.equal(await verify(instance, refreshed.body.accessToken), 200)
    const issued = JSON.parse(Buffer.from(refreshed.body.accessToken.split('.')[1] ?? '', 'base64url').toString()) as { iat: number }
    t.ok(Math.abs(issued.iat - Date.now() / 1000) < 2.5)

    await ahead.call('POST /auth/logout', { token: refreshed.body.accessToken })
    const [entry] = await sql('SELECT extract(epoch FROM expires_at - now())::float8 AS left FROM revocations WHERE subject = $1', sessionIdOf(person))
    t.ok(Math.abs(Number(entry?.left) - 3_660) < 3)
    await until(async () => await verify(a, refreshed.body.accessToken) === 401, 1_600)

    const repeated = await ahead.person()
    const first = await refresh(a, repeated.refreshToken)
    await sql("UPDATE sessions SET rotated_at = rotated_at - interval '28 seconds' WHERE id = $1", sessionIdOf(repeated))
    t.equal((await refresh(ahead, repeated.refreshToken)).body.refreshToken, first.body.refreshToken, 'the 30 s are the database\'s')
  })

  t.test('still refuse what was revoked after being killed and restarted', async t => {
    const [person, other] = [await a.person(), await a.person()]
    await b.call('POST /auth/logout', { token: person.accessToken })
    await b.kill()
    await a.call('POST /auth/logout', { token: other.accessToken })
    await b.restart()
    t.equal(await verify(b, person.accessToken), 401, 'from its first answer on')
    t.equal(await verify(b, other.accessToken), 401, 'also what ended while it was gone')
  })

  t.test('return the same successor to all concurrent refreshes of one token', async t => {
    const person = await a.person()
    const answers = await Promise.all(Array.from({ length: 15 }, (_, index) => refresh(instances[index % 3] ?? a, person.refreshToken)))
    t.equal(new Set(answers.map(({ body }) => body.refreshToken)).size, 1)
    const [row] = await sql('SELECT generation FROM sessions WHERE id = $1', sessionIdOf(person))
    t.strictSame(row, { generation: 1 })
  })
})

t.test('a token that is reused on another instance ends the session on both', onPostgres, async t => {
  const { instances: [a, b], databaseUrl } = await startInstances(t, {}, {})
  const person = await a.person()
  const { body } = await a.call<LoginBody>('POST /auth/refresh', { json: { refreshToken: person.refreshToken } })
  await a.call<LoginBody>('POST /auth/refresh', { json: { refreshToken: body.refreshToken } })
  t.match(await b.call('POST /auth/refresh', { json: { refreshToken: person.refreshToken } }), { status: 401, body: { code: 'refresh_token_reused' } })
  t.equal((await b.call('GET /auth/verify', { token: body.accessToken })).status, 401)
  await until(async () => (await a.call('GET /auth/verify', { token: body.accessToken })).status === 401, 1_600)
  t.match(await rowOf({ sql: async <Row>(text: string, ...values: unknown[]) => (await onServer(databaseUrl, server => server.query(text, values))).rows as Row[] }, person), { endedReason: 'reused' })
})

t.test('behind a pooler that swallows LISTEN an instance learns of a revocation by its next read', onPostgres, async t => {
  const { instances: [a, b] } = await startInstances(t, {}, { NODE_OPTIONS: `--import=${WITHOUT_LISTEN}` })
  for (let round = 0; round < 5; round++) {
    const person = await a.person()
    t.equal((await a.call('POST /auth/logout', { token: person.accessToken })).status, 204)
    const took = await until(async () => (await b.call('GET /auth/verify', { token: person.accessToken })).status === 401)
    t.ok(took < 1_600, `${took.toFixed(0)} ms; half a second more than promised, for a busy machine`)
  }
  t.match((await b.call('GET /metrics')).text, /^countersign_revocations_heard_total 0$/m)
})
