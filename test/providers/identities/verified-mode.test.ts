import t from 'tap'
import { cookiesOf, signIn } from '../../support/providers/sign-in.ts'
import { APP, startWorld } from '../../support/providers/world.ts'

t.test('where addresses have to be proved, only a provider that is trusted for e-mail makes an account', async t => {
  const { service, google, acme, browser } = await startWorld(t, { REQUIRE_VERIFIED_EMAIL: 'true' })
  acme.accounts.set('ada', { email: 'ada@example.com', email_verified: true })
  google.accounts.set('grace', { email: 'grace@example.com', email_verified: true })
  t.match(await signIn(browser(), 'acme', { as: 'ada' }), { at: APP, error: 'email_unverified' })
  t.strictSame(await service.sql('SELECT 1 FROM users'), [])
  t.match(await service.sql("SELECT detail FROM audit_events WHERE action = 'login' AND outcome = 'failure'"), [{ detail: { provider: 'acme', code: 'email_unverified' } }])

  const grace = browser()
  t.match(await signIn(grace, 'google', { as: 'grace' }), { at: APP, error: null })
  t.match(await service.call('GET /auth/me', { cookies: cookiesOf(grace) }), { body: { email: 'grace@example.com', emailVerified: true } })

  await service.sql('UPDATE users SET email_verified = false')
  t.match(await signIn(browser(), 'google', { as: 'grace' }), { at: APP, error: 'email_unverified' }, 'an account of before, too')
})
