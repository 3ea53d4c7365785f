import { createHash, randomBytes } from 'node:crypto'
import t from 'tap'
import { agree, startFlow, finishFlow, cookiesOf, signIn } from '../../support/providers/sign-in.ts'
import { startWorld } from '../../support/providers/world.ts'
import { present } from '../../support/presence.ts'
import type { LoginBody } from '../../support/service.ts'

const HUNDRED = Array.from({ length: 100 }, (_, n) => n)

t.test('concurrent first sign-ins with one identity', async t => {
  // The machine may be busy: no request is to be refused for waiting here.
  const { service, google, github, browser } = await startWorld(t, { RATE_LIMITS: 'off', DATABASE_ACQUIRE_TIMEOUT: '20s', DATABASE_STATEMENT_TIMEOUT: '20s' })
  const count = async (table: string) => (await service.sql<{ n: number }>(`SELECT count(*)::int AS n FROM ${table}`))[0]?.n

  t.test('twenty in browsers: one user, one identity, all logged in', async t => {
    github.accounts.set('ada', { id: 1815, emails: [{ email: 'ada@example.com', primary: true, verified: true }] })
    const ready = await Promise.all(HUNDRED.slice(0, 20).map(async n => {
      // Of one network eight at a time are at a provider, and the others wait for five seconds.
      const somebody = browser(`203.0.113.${n}`)
      return { somebody, callback: await agree(somebody, await startFlow(somebody, 'github'), 'ada') }
    }))
    const landings = await Promise.all(ready.map(({ somebody, callback }) => finishFlow(somebody, callback)))
    t.strictSame([...new Set(landings.map(({ error }) => error))], [null])
    const answers = await Promise.all(ready.map(({ somebody }) => service.call<{ id: string }>('GET /auth/verify', { cookies: cookiesOf(somebody) })))
    t.strictSame([...new Set(answers.map(({ status }) => status))], [200])
    t.equal(new Set(answers.map(({ body }) => body.id)).size, 1)
    t.strictSame({ users: await count('users'), identities: await count('identities') }, { users: 1, identities: 1 })
  })

  t.test('a hundred from native apps: one user, one identity, all logged in', async t => {
    const answers = await Promise.all(HUNDRED.map(async () => {
      const nonce = randomBytes(16).toString('base64url')
      const idToken = google.idToken({ claims: { aud: 'ios-app', sub: 'grace', email: 'grace@example.com', email_verified: true, nonce: createHash('sha256').update(nonce).digest('base64url') } })
      return service.call<LoginBody>('POST /auth/providers/google/token', { json: { idToken, nonce } })
    }))
    t.strictSame([...new Set(answers.map(({ status }) => status))], [200])
    t.equal(new Set(answers.map(({ body }) => body.user.id)).size, 1)
    t.strictSame({ users: await count('users'), identities: await count('identities') }, { users: 2, identities: 2 })
  })

  t.test('while another registers with the address: no 500, and one user', async t => {
    for (let round = 0; round < 5; round++) {
      const email = `race-${round}@example.com`
      google.accounts.set(`race-${round}`, { email, email_verified: true })
      const somebody = browser()
      const callback = await agree(somebody, await startFlow(somebody, 'google'), `race-${round}`)
      const [outcome, registered] = await Promise.all([
        finishFlow(somebody, callback),
        service.call('POST /auth/register', { json: { email, password: 'correct horse battery' } })
      ])
      t.equal(outcome.error, null, 'who proves the address gets it in either order')
      t.ok([201, 409].includes(registered.status), String(registered.status))
      t.equal((await service.sql('SELECT 1 FROM users WHERE email = $1', email)).length, 1)
    }
  })

  t.test('while the account is disabled: no session survives', async t => {
    google.accounts.set('soon-gone', { email: 'soon-gone@example.com', email_verified: true })
    await signIn(browser(), 'google', { as: 'soon-gone' })
    const admin = await service.admin()
    const [{ id } = { id: '' }] = await service.sql<{ id: string }>("SELECT id FROM users WHERE email = 'soon-gone@example.com'")
    const ready = await Promise.all(HUNDRED.slice(0, 10).map(async () => {
      const somebody = browser()
      return { somebody, callback: await agree(somebody, await startFlow(somebody, 'google'), 'soon-gone') }
    }))
    const [disabled] = await Promise.all([
      service.call(`PATCH /admin/users/${id}`, present(admin, { disabled: true })),
      ...ready.map(({ somebody, callback }) => finishFlow(somebody, callback))
    ])
    t.equal(disabled.status, 200)
    t.strictSame(await service.sql('SELECT 1 FROM sessions WHERE user_id = $1::uuid AND ended_at IS NULL', id), [])
  })
})
