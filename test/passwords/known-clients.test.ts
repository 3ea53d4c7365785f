import t from 'tap'
import { present } from '../support/presence.ts'
import { PASSWORD, startService } from '../support/service.ts'

// One at a time, and each long enough for the others to wait.
const SLOW = { HASH_CONCURRENCY: '1', HASH_QUEUE_LIMIT: '128', ARGON2_MEMORY_KIB: '32768', ARGON2_ITERATIONS: '2' }

t.test('a known client that asks several times at once is not refused while there is room', async t => {
  const service = await startService(t, SLOW)
  const person = await service.person()
  const { device = '' } = await service.cookiesOf(person)

  t.test('five logins with the device cookie', async t => {
    const { email, password } = person
    const logins = await Promise.all(Array.from({ length: 5 }, () => service.call('POST /auth/login', { json: { email, password }, cookies: { device }, headers: { 'x-countersign': '1' } })))
    t.strictSame(logins.map(({ status }) => status), Array(5).fill(200))
  })

  t.test('five new passwords in one session, of which one is set', async t => {
    const login = await service.logIn(person)
    const changes = await Promise.all([1, 2, 3, 4, 5].map(n => service.call('POST /auth/password', present(login, { currentPassword: PASSWORD, newPassword: `${PASSWORD} ${n}` }))))
    t.strictSame(changes.map(({ status }) => status).sort(), [200, 401, 401, 401, 401])
  })
})
