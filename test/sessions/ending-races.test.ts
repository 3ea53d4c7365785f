import t from 'tap'
import { onPostgres } from '../support/database.ts'
import { present } from '../support/presence.ts'
import { startService, type Person, type TestService } from '../support/service.ts'

const ROUNDS = Number(process.env.RACE_ROUNDS ?? 20)

function fill (service: TestService, { user }: Person, count: number): Promise<unknown> {
  return service.sql(`
    INSERT INTO sessions (id, user_id, channel, nonce, key_id, idle_ends_at, ends_at)
    SELECT gen_random_uuid(), $1::uuid, 'body', '\\x00', 'key', now() + interval '1 day', now() + interval '1 day' FROM generate_series(1, $2::int)`, user.id, count)
}

t.test('sessions ended in parallel', { ...onPostgres, timeout: 600_000 }, async t => {
  const service = await startService(t)
  const admin = await service.admin()

  t.test(`all others, all but another, and the whole account: no deadlock in ${ROUNDS} rounds`, async t => {
    for (let round = 0; round < ROUNDS; round++) {
      const person = await service.person()
      const other = await service.logIn(person)
      await fill(service, person, 60)
      const asAdmin = await service.logIn(admin)
      const byAdmin = round % 3 === 0
        ? service.call(`PATCH /admin/users/${person.user.id}`, present(asAdmin, { disabled: true }))
        : service.call(`DELETE /admin/users/${person.user.id}${round % 3 === 1 ? '' : '/sessions'}`, present(asAdmin))
      const answers = await Promise.all([
        service.call('DELETE /auth/sessions', { token: person.accessToken }),
        service.call('DELETE /auth/sessions', { token: other.accessToken }),
        byAdmin
      ])
      for (const { status } of answers.slice(0, 2)) t.match(status, /^(204|401)$/)
      t.match(answers[2]?.status, /^20[04]$/)
      const [live] = await service.sql<{ count: number }>('SELECT count(*)::int AS count FROM sessions WHERE user_id = $1::uuid AND ended_at IS NULL', person.user.id)
      t.equal(live?.count, 0)
      for (const token of [person.accessToken, other.accessToken]) t.equal((await service.call('GET /auth/verify', { token })).status, 401)
    }
  })

  t.test('many logins at once beside a hundred sessions', async t => {
    const person = await service.person()
    await fill(service, person, 99)
    const logins = await Promise.all(Array.from({ length: 12 }, () => service.call('POST /auth/login', { json: { email: person.email, password: person.password } })))
    t.strictSame(logins.map(({ status }) => status), Array(12).fill(200))
    await service.logIn(person)
    const [live] = await service.sql<{ count: number }>('SELECT count(*)::int AS count FROM sessions WHERE user_id = $1::uuid AND ended_at IS NULL', person.user.id)
    t.equal(live?.count, 100)
  })
})
