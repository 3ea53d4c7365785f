import t from 'tap'
import { cookiesOf, signIn } from '../../support/providers/sign-in.ts'
import { startWorld } from '../../support/providers/world.ts'
import { age } from '../../support/presence.ts'
import { isProblem } from '../../support/problem.ts'
import { PASSWORD } from '../../support/service.ts'

t.test('the first password of an account that signs in by a provider', async t => {
  const { service, google, browser } = await startWorld(t)
  let count = 0

  /** A new user, signed in with Google. */
  async function newcomer () {
    const email = `somebody-${++count}@example.com`
    google.accounts.set(email, { email, email_verified: true })
    const somebody = browser()
    t.match(await signIn(somebody, 'google', { as: email }), { error: null })
    return { email, cookies: cookiesOf(somebody) }
  }
  const renewed = ({ cookies }: { cookies: Readonly<Record<string, { value: string }>> }) => Object.fromEntries(Object.entries(cookies).map(([name, { value }]) => [name, value]))
  const set = (cookies: Record<string, string>, json: object) => service.call('POST /auth/password', { cookies, json, headers: { 'sec-fetch-site': 'same-origin' } })

  t.test('needs no current one right after signing in, and can be used to log in', async t => {
    const { email, cookies } = await newcomer()
    const answer = await set(cookies, { newPassword: PASSWORD })
    t.match(answer, { status: 200, body: { identities: [{ provider: 'google', email }] } })
    t.equal((await service.call('POST /auth/login', { json: { email, password: PASSWORD } })).status, 200)
    t.equal((await service.call('GET /auth/verify', { cookies: renewed(answer) })).status, 200, 'its session goes on')
    t.equal((await service.sql("SELECT 1 FROM audit_events WHERE action = 'password_change' AND outcome = 'success' AND detail IS NULL AND subject_id = (SELECT id FROM users WHERE email = $1)", email)).length, 1)
  })

  t.test('allows unlinking the last identity', async t => {
    const { cookies } = await newcomer()
    const now = renewed(await set(cookies, { newPassword: PASSWORD }))
    const { body: { items: [identity] } } = await service.call<{ items: Array<{ id: string }> }>('GET /auth/identities', { cookies: now })
    t.equal((await service.call(`DELETE /auth/identities/${identity?.id}`, { cookies: now, headers: { 'sec-fetch-site': 'same-origin' } })).status, 204)
  })

  t.test('is refused in a session that is older than five minutes', async t => {
    const { email, cookies } = await newcomer()
    const [{ id } = { id: '' }] = await service.sql<{ id: string }>('SELECT id::text AS id FROM users WHERE email = $1', email)
    await age(service, id)
    isProblem(t, await set(cookies, { newPassword: PASSWORD }), 'insufficient_user_authentication')
    t.match(await service.sql('SELECT password_hash FROM users WHERE email = $1', email), [{ password_hash: null }])
  })

  t.test('is set once: then the current one is required', async t => {
    const { email, cookies } = await newcomer()
    const answers = await Promise.all([1, 2].map(n => set(cookies, { newPassword: `${PASSWORD} ${n}` })))
    t.strictSame(answers.map(({ status }) => status).sort(), [200, 401], 'of two at once, one')
    const now = renewed(answers.find(({ status }) => status === 200) ?? { cookies: {} })
    t.match(await set(now, { newPassword: 'a staple of nine words' }), { status: 422, body: { code: 'validation_failed', errors: [{ field: 'currentPassword' }] } })
    isProblem(t, await set((await newcomer()).cookies, { currentPassword: PASSWORD, newPassword: PASSWORD }), 'invalid_credentials')
    t.equal((await service.sql('SELECT 1 FROM users WHERE email = $1 AND password_hash IS NOT NULL', email)).length, 1)
  })

  t.test('follows the password policy', async t => {
    isProblem(t, await set((await newcomer()).cookies, { newPassword: '12345678' }), 'weak_password')
  })
})
