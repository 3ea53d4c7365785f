import t from 'tap'
import type { Browser } from '../../support/providers/browser.ts'
import { agree, finishFlow, cookiesOf, signIn } from '../../support/providers/sign-in.ts'
import { APP, startWorld } from '../../support/providers/world.ts'
import { present } from '../../support/presence.ts'
import { PASSWORD, type Person } from '../../support/service.ts'

const HOST = 'auth.example.com'

t.test('linking in a session that ends meanwhile', async t => {
  const { service, google, github, acme, browser } = await startWorld(t)
  let count = 0

  /** A new user, logged in in a browser. */
  async function loggedIn (): Promise<{ somebody: Browser, person: Person }> {
    const person = await service.person()
    const somebody = browser()
    await somebody.visit('/auth/login', { json: { email: person.email, password: PASSWORD, deliver: 'cookie' }, site: 'same-origin' })
    return { somebody, person }
  }

  /** From the app to the provider and, with an unlinked account, to the callback. */
  async function leave (somebody: Browser, subject = `subject-${++count}`): Promise<{ subject: string, callback: URL }> {
    acme.accounts.set(subject, { email: `${subject}@acme.example` })
    const page = await somebody.visit('/auth/identities/link', { json: { provider: 'acme', redirectTo: APP }, site: 'same-origin' })
    const { url } = JSON.parse(page.text) as { url: string }
    return { subject, callback: await agree(somebody, new URL(url), subject) }
  }

  const linked = (subject: string) => service.sql('SELECT 1 FROM identities WHERE subject = $1', subject)
  const refusals = (person: Person) => service.sql("SELECT detail FROM audit_events WHERE action = 'identity_link' AND outcome = 'failure' AND subject_id = $1::uuid", person.user.id)

  const ends: Record<string, (somebody: Browser, person: Person) => Promise<unknown>> = {
    'when the owner of the address claims the account': async (_somebody, { email }) => {
      google.accounts.set(email, { email, email_verified: true })
      t.match(await signIn(browser(), 'google', { as: email }), { error: null })
    },
    'by logging out': somebody => somebody.visit('/auth/logout', { method: 'POST', site: 'same-origin' }),
    'by another password': async (_somebody, person) => service.call('POST /auth/password', present(person, { currentPassword: PASSWORD, newPassword: 'a staple of nine words' })),
    'when an admin disables the account': async (_somebody, { user }) => service.call(`PATCH /admin/users/${user.id}`, present(await service.admin(), { disabled: true }))
  }
  for (const [how, end] of Object.entries(ends)) {
    t.test(`${how} leaves nothing behind`, async t => {
      const { somebody, person } = await loggedIn()
      const { subject, callback } = await leave(somebody)
      const held = service.hold('identities.link-in-session')
      const outcome = finishFlow(somebody, callback)
      await held.reached
      await end(somebody, person)
      held.release()
      t.match(await outcome, { at: APP, error: 'different_session' })
      t.strictSame(await linked(subject), [])
      await service.audited()
      t.match(await refusals(person), [{ detail: { provider: 'acme', code: 'different_session' } }])
    })
  }

  t.test('is refused for an identity that is linked already, too', async t => {
    const { somebody } = await loggedIn()
    const { subject, callback } = await leave(somebody)
    t.match(await finishFlow(somebody, callback), { error: null })
    const again = await leave(somebody, subject)
    const held = service.hold('identities.link-in-session')
    const outcome = finishFlow(somebody, again.callback)
    await held.reached
    await somebody.visit('/auth/logout', { method: 'POST', site: 'same-origin' })
    held.release()
    t.match(await outcome, { at: APP, error: 'different_session' })
    t.equal((await linked(subject)).length, 1)
  })

  t.test('takes an identity that its owner unlinks at that moment, and none that another account keeps', async t => {
    for (const isUnlinked of [true, false]) {
      const { somebody: owner, person: before } = await loggedIn()
      const { subject, callback: first } = await leave(owner)
      t.match(await finishFlow(owner, first), { error: null })

      const { somebody, person } = await loggedIn()
      const { callback } = await leave(somebody, subject)
      const held = service.hold('identities.find-link')
      const outcome = finishFlow(somebody, callback)
      await held.reached
      if (isUnlinked) await service.sql('DELETE FROM identities WHERE subject = $1', subject)
      held.release()
      t.match(await outcome, { at: APP, error: isUnlinked ? null : 'identity_taken' })
      t.match(await service.sql('SELECT user_id::text AS owner FROM identities WHERE subject = $1', subject), [{ owner: (isUnlinked ? person : before).user.id }])
    }
  })

  t.test('because only its access cookie lapsed has not ended', async t => {
    const { somebody, person } = await loggedIn()
    const { subject, callback } = await leave(somebody)
    somebody.jar.forget(HOST, name => name === '__Host-access')
    t.ok('__Host-refresh' in cookiesOf(somebody))
    t.match(await finishFlow(somebody, callback), { at: APP, error: null })
    t.match(await service.sql('SELECT user_id::text AS owner FROM identities WHERE subject = $1', subject), [{ owner: person.user.id }])
  })

  t.test('accepts the refresh cookie that another tab has just rotated: the navigation had begun with it', async t => {
    const { somebody } = await loggedIn()
    const { subject, callback } = await leave(somebody)
    const before = cookiesOf(somebody)['__Host-refresh'] ?? ''
    t.equal((await somebody.visit('/auth/refresh', { method: 'POST', site: 'same-origin' })).status, 200)
    somebody.jar.set(HOST, '__Host-refresh', before)
    t.match(await finishFlow(somebody, callback), { at: APP, error: null })
    t.equal((await linked(subject)).length, 1)
  })

  t.test('but not long after that', async t => {
    const { somebody } = await loggedIn()
    const { callback } = await leave(somebody)
    const before = cookiesOf(somebody)['__Host-refresh'] ?? ''
    await somebody.visit('/auth/refresh', { method: 'POST', site: 'same-origin' })
    await service.sql("UPDATE sessions SET rotated_at = rotated_at - interval '31 seconds' WHERE id = $1::uuid", before.slice(0, 36))
    somebody.jar.set(HOST, '__Host-refresh', before)
    t.match(await finishFlow(somebody, callback), { at: APP, error: 'different_session' })
  })

  t.test('does not accept a refresh cookie of another session, a forged one, or two', async t => {
    const { somebody: other } = await loggedIn()
    const others = cookiesOf(other)['__Host-refresh'] ?? ''
    for (const refresh of [others, `${others.slice(0, -2)}xx`, 'x']) {
      const { somebody } = await loggedIn()
      const { subject, callback } = await leave(somebody)
      somebody.jar.forget(HOST, name => name === '__Host-access')
      somebody.jar.set(HOST, '__Host-refresh', refresh)
      t.match(await finishFlow(somebody, callback), { at: APP, error: 'different_session' })
      t.strictSame(await linked(subject), [])
    }
    const { somebody } = await loggedIn()
    const { callback } = await leave(somebody)
    const cookie = Object.entries(cookiesOf(somebody)).flatMap(([name, value]) => name === '__Host-refresh' ? [`${name}=${value}`, `${name}=${value}`] : [`${name}=${value}`]).join('; ')
    t.match(await somebody.visit(callback, { site: 'cross-site', headers: { cookie } }), { location: { search: '?error=different_session' } }, 'a refresh cookie that comes twice')
  })

  t.test('verifies the account\'s address, if the provider is trusted for e-mail: so that the account cannot be reclaimed later', async t => {
    const { somebody, person } = await loggedIn()
    google.accounts.set('owner', { email: person.email.toUpperCase(), email_verified: true })
    const page = await somebody.visit('/auth/identities/link', { json: { provider: 'google', redirectTo: APP }, site: 'same-origin' })
    t.match(await finishFlow(somebody, await agree(somebody, new URL((JSON.parse(page.text) as { url: string }).url), 'owner')), { error: null })
    t.match(await service.sql('SELECT email_verified FROM users WHERE id = $1::uuid', person.user.id), [{ email_verified: true }])

    github.accounts.set('owner', { id: 77, emails: [{ email: person.email, primary: true, verified: true }] })
    const elsewhere = browser()
    t.match(await signIn(elsewhere, 'github', { as: 'owner' }), { error: null })
    t.match((await service.call('GET /auth/me', { cookies: cookiesOf(elsewhere) })).body, { id: person.user.id, emailVerified: true })
    t.equal((await service.sql('SELECT 1 FROM identities WHERE user_id = $1::uuid', person.user.id)).length, 2)
    t.equal((await service.call('GET /auth/verify', { cookies: cookiesOf(somebody) })).status, 200)
    t.equal((await service.call('POST /auth/login', { json: { email: person.email, password: PASSWORD } })).status, 200)
  })

  t.test('verifies no address if the provider is not trusted for e-mail, or returns another address', async t => {
    const { somebody, person } = await loggedIn()
    acme.accounts.set('untrusted', { email: person.email, email_verified: true })
    google.accounts.set('another', { email: 'another@example.com', email_verified: true })
    for (const [provider, as] of [['acme', 'untrusted'], ['google', 'another']] as const) {
      const page = await somebody.visit('/auth/identities/link', { json: { provider, redirectTo: APP }, site: 'same-origin' })
      t.match(await finishFlow(somebody, await agree(somebody, new URL((JSON.parse(page.text) as { url: string }).url), as)), { error: null })
    }
    t.match(await service.sql('SELECT email_verified FROM users WHERE id = $1::uuid', person.user.id), [{ email_verified: false }])
  })
})
