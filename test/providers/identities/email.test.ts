import t from 'tap'
import type { Browser } from '../../support/providers/browser.ts'
import { cookiesOf, signIn } from '../../support/providers/sign-in.ts'
import { APP, startWorld } from '../../support/providers/world.ts'
import { present } from '../../support/presence.ts'
import { PASSWORD, type Person } from '../../support/service.ts'

interface Profile { id: string, email: string, emailVerified: boolean }

t.test('an address that a provider tells', async t => {
  const { service, google, github, facebook, acme, browser } = await startWorld(t)
  let count = 0
  /** A new address. */
  const address = () => `somebody-${++count}@example.com`

  const profileIn = async (somebody: Browser) => (await service.call<Profile>('GET /auth/me', { cookies: cookiesOf(somebody) })).body
  const verify = (person: Person) => service.sql('UPDATE users SET email_verified = true WHERE id = $1::uuid', person.user.id)
  const identitiesOf = (userId: string) => service.sql<{ subject: string }>('SELECT subject FROM identities WHERE user_id = $1::uuid', userId)
  async function accountWith (email: string): Promise<Person> {
    const { body, status } = await service.call<Person>('POST /auth/register', { json: { email, password: PASSWORD } })
    t.equal(status, 201)
    return { ...body, email, password: PASSWORD }
  }

  /** An account at a provider, under a subject of its own. @returns the subject */
  function at (provider: 'google' | 'github' | 'facebook' | 'acme', email: string, isVerified = true): string {
    const subject = `subject-${++count}`
    if (provider === 'github') github.accounts.set(subject, { id: 1000 + count, emails: [{ email, primary: true, verified: isVerified }] })
    else if (provider === 'facebook') facebook.accounts.set(subject, { name: subject, email })
    else ({ google, acme })[provider].accounts.set(subject, { email, email_verified: isVerified })
    return subject
  }

  t.test("an admin's account keeps the name that the admin gave it, and a stranger's does not", async t => {
    const admin = await service.admin()
    const nameOf = async (email: string) => (await service.sql<{ name: string | null }>('SELECT name FROM users WHERE email = $1', email)).map(({ name }) => name)
    const [made, squatted] = [address(), address()]
    t.equal((await service.call('POST /admin/users', present(admin, { email: made, name: 'Grace Hopper' }))).status, 201)
    await service.call('POST /auth/register', { json: { email: squatted, password: PASSWORD, name: 'Mallory' } })
    for (const email of [made, squatted]) t.match(await signIn(browser(), 'google', { as: at('google', email) }), { at: APP, error: null })
    t.strictSame([await nameOf(made), await nameOf(squatted)], [['Grace Hopper'], [null]])
  })

  for (const provider of ['google', 'github'] as const) {
    t.test(`${provider}, verified on both sides: links by itself, and logs the same account in`, async t => {
      const ada = await accountWith(address())
      await verify(ada)
      const somebody = browser()
      t.match(await signIn(somebody, provider, { as: at(provider, ada.email) }), { at: APP, error: null })
      t.equal((await profileIn(somebody)).id, ada.user.id)
      t.match(await service.call('GET /auth/verify', { token: ada.accessToken }), { status: 200 }, 'its sessions live on')
      t.match(await service.call('POST /auth/login', { json: { email: ada.email, password: PASSWORD } }), { status: 200 }, 'and its password')
    })

    t.test(`${provider}, verified, and an unverified account: the account is reclaimed, and the squatter is out`, async t => {
      const squatter = await accountWith(address())
      const cookies = await service.cookiesOf(squatter)
      const owner = browser()
      t.match(await signIn(owner, provider, { as: at(provider, squatter.email) }), { at: APP, error: null })
      t.match(await profileIn(owner), { email: squatter.email, emailVerified: true })

      t.equal((await service.call('GET /auth/verify', { token: squatter.accessToken })).status, 401, 'the token')
      t.equal((await service.call('GET /auth/verify', { cookies })).status, 401, 'the cookies')
      t.equal((await service.call('POST /auth/refresh', { json: { refreshToken: squatter.refreshToken } })).status, 401, 'the refresh token')
      t.match(await service.call('POST /auth/login', { json: { email: squatter.email, password: PASSWORD } }), { status: 401, body: { code: 'invalid_credentials' } }, 'the password')
      t.equal((await service.sql('SELECT 1 FROM users WHERE email = $1', squatter.email)).length, 1)
    })

    t.test(`${provider}, not verified: opens nobody's account`, async t => {
      // Of GitHub's addresses only the primary one counts, and only when it is verified.
      const refusal = provider === 'github' ? 'email_required' : 'account_exists'
      for (const isVerified of [true, false]) {
        const victim = await accountWith(address())
        if (isVerified) await verify(victim)
        const attacker = browser()
        t.match(await signIn(attacker, provider, { as: at(provider, victim.email, false) }), { at: APP, error: refusal })
        t.strictSame(Object.keys(cookiesOf(attacker)).filter(name => /access|session/.test(name)), [])
        t.strictSame(await identitiesOf(victim.user.id), [])
        t.match(await service.call('POST /auth/login', { json: { email: victim.email, password: PASSWORD } }), { status: 200 })
      }
    })
  }

  t.test('google, verified, of the address that an account had before: makes no account, for that one may come back to it', async t => {
    const [owner, email] = [await accountWith(address()), address()]
    await service.sql("INSERT INTO email_holds (email, user_id, until) VALUES ($1, $2::uuid, now() + interval '1 day')", email, owner.user.id)
    t.match(await signIn(browser(), 'google', { as: at('google', email) }), { at: APP, error: 'account_exists' })
    t.equal((await service.sql('SELECT 1 FROM users WHERE email = $1', email)).length, 0)
    await service.sql("UPDATE email_holds SET until = now() - interval '1 second'")
    t.match(await signIn(browser(), 'google', { as: at('google', email) }), { at: APP, error: null })
  })

  for (const provider of ['facebook', 'acme'] as const) {
    t.test(`${provider}, of a provider that is not trusted for e-mail: gives access to no account, whatever it says`, async t => {
      for (const isVerified of [true, false]) {
        const victim = await accountWith(address())
        if (isVerified) await verify(victim)
        t.match(await signIn(browser(), provider, { as: at(provider, victim.email) }), { at: APP, error: 'account_exists' })
        t.strictSame(await identitiesOf(victim.user.id), [])
      }
    })
  }

  t.test('and that nobody has: an account of its own, verified only by a provider that is trusted', async t => {
    for (const [provider, isVerified, expected] of [['google', true, true], ['google', false, false], ['github', true, true], ['facebook', true, false], ['acme', true, false], ['acme', false, false]] as const) {
      const email = address()
      const somebody = browser()
      t.match(await signIn(somebody, provider, { as: at(provider, email, isVerified) }), { error: null }, provider)
      t.match(await profileIn(somebody), { email, emailVerified: expected }, `${provider}, ${isVerified ? '' : 'not '}verified`)
      t.match(await service.sql('SELECT password_hash FROM users WHERE email = $1', email), [{ password_hash: null }])
    }
  })

  t.test('never reclaims the unverified account of an admin', async t => {
    const admin = await accountWith(address())
    await service.sql("UPDATE users SET role = 'admin' WHERE id = $1::uuid", admin.user.id)
    for (const provider of ['google', 'github'] as const) t.match(await signIn(browser(), provider, { as: at(provider, admin.email) }), { at: APP, error: 'account_exists' })
    t.strictSame(await identitiesOf(admin.user.id), [])
    t.equal((await service.call('POST /auth/login', { json: { email: admin.email, password: PASSWORD } })).status, 200)
    await service.audited()
    t.match(await service.sql("SELECT outcome, detail FROM audit_events WHERE action = 'login' AND outcome = 'failure' AND subject_id = $1::uuid ORDER BY id", admin.user.id),
      [{ detail: { provider: 'google', code: 'account_exists' } }, { detail: { provider: 'github', code: 'account_exists' } }])
  })

  t.test('nor one that became an admin meanwhile', async t => {
    const promoted = await accountWith(address())
    const held = service.hold('identities.find-account-by-email')
    const outcome = signIn(browser(), 'google', { as: at('google', promoted.email) })
    await held.reached
    await service.sql("UPDATE users SET role = 'admin' WHERE id = $1::uuid", promoted.user.id)
    held.release()
    t.match(await outcome, { error: 'account_exists' })
  })

  t.test('in characters that only look like it proves nothing: it may be another mailbox', async t => {
    for (const isVerified of [true, false]) {
      const ada = await accountWith(address())
      if (isVerified) await verify(ada)
      t.match(await signIn(browser(), 'google', { as: at('google', ada.email.replace('s', '\uff53')) }), { at: APP, error: 'account_exists' })
      t.strictSame(await identitiesOf(ada.user.id), [])
    }
    const email = address()
    const somebody = browser()
    t.match(await signIn(somebody, 'google', { as: at('google', email.replace('s', '\uff53')) }), { error: null })
    t.match(await profileIn(somebody), { email, emailVerified: false })
  })

  t.test('leads to the account with the same domain in A-labels, but proves nothing where IDNA is of two minds', async t => {
    for (const [written, domain, isProven] of [['bücher.example', 'xn--bcher-kva.example', true], ['straße.example', 'xn--strae-oqa.example', false]] as const) {
      const ada = await accountWith(address())
      await service.sql('UPDATE users SET email = $2, email_verified = true WHERE id = $1::uuid', ada.user.id, `ada@${domain}`)
      t.match(await signIn(browser(), 'google', { as: at('google', `ada@${written}`) }), { at: APP, error: isProven ? null : 'account_exists' })
      t.equal((await identitiesOf(ada.user.id)).length, isProven ? 1 : 0)
    }
  })

  t.test('before its owner came: a squatter with an untrusted provider is out as well', async t => {
    const email = address()
    const [attacker, owner] = [browser(), browser()]
    const theirs = at('acme', email)
    t.match(await signIn(attacker, 'acme', { as: theirs }), { error: null })
    t.match(await signIn(owner, 'google', { as: at('google', email) }), { error: null })
    const { id } = await profileIn(owner)

    t.equal((await service.call('GET /auth/verify', { cookies: cookiesOf(attacker) })).status, 401, 'the session is over')
    const again = browser()
    await signIn(again, 'acme', { as: theirs })
    t.not((await profileIn(again))?.id, id, 'and the way back in')
    t.equal((await identitiesOf(id)).length, 1)
  })

  t.test('is normalised', async t => {
    const ada = await accountWith(address())
    await verify(ada)
    const somebody = browser()
    t.match(await signIn(somebody, 'google', { as: at('google', ` ${ada.email.toUpperCase()} `) }), { error: null })
    t.equal((await profileIn(somebody)).id, ada.user.id)
  })

  t.test('does not identify an account: one that changes at the provider leads to the same account', async t => {
    const [email, later] = [address(), address()]
    const subject = at('google', email)
    const [first, second] = [browser(), browser()]
    await signIn(first, 'google', { as: subject })
    google.accounts.set(subject, { email: later, email_verified: true })
    await signIn(second, 'google', { as: subject })
    t.equal((await profileIn(second)).id, (await profileIn(first)).id)
  })

  t.test('and one subject at two providers is two people', async t => {
    const [one, two] = [browser(), browser()]
    google.accounts.set('same-subject', { email: address(), email_verified: true })
    acme.accounts.set('same-subject', { email: address() })
    await signIn(one, 'google', { as: 'same-subject' })
    await signIn(two, 'acme', { as: 'same-subject' })
    t.not((await profileIn(one)).id, (await profileIn(two)).id)
  })

  t.test('that is invalid, or is missing, creates no account', async t => {
    for (const email of ['nobody', 'a@b@c', 'x@', `${'a'.repeat(300)}@example.com`, 'new\nline@example.com', 'nul\0@example.com', '']) {
      const subject = at('acme', email)
      const { at: place, error, page } = await signIn(browser(), 'acme', { as: subject })
      t.strictSame({ place, error, status: page.status }, { place: APP, error: 'email_required', status: 302 }, JSON.stringify(email))
    }
    acme.accounts.set('silent', { name: 'Nobody' })
    facebook.accounts.set('by-telephone', { name: 'Nobody' })
    github.accounts.set('hidden', { id: 99, emails: [] })
    for (const [provider, as] of [['acme', 'silent'], ['facebook', 'by-telephone'], ['github', 'hidden']] as const) {
      t.match(await signIn(browser(), provider, { as }), { at: APP, error: 'email_required' }, provider)
    }
  })

  t.test("at GitHub is the one of the list that is primary and verified, never the profile's", async t => {
    const victim = await accountWith(address())
    await verify(victim)
    const own = address()
    const cases = [
      { email: victim.email, emails: [{ email: own, primary: true, verified: true }], becomes: own },
      { email: own, emails: [{ email: victim.email, primary: false, verified: true }, { email: address(), primary: true, verified: true }], becomes: /somebody/ }
    ]
    for (const { becomes, ...account } of cases) {
      const as = `login-${++count}`
      github.accounts.set(as, { id: 5000 + count, ...account })
      const somebody = browser()
      await signIn(somebody, 'github', { as })
      const profile = await profileIn(somebody)
      t.match(profile, { email: becomes, emailVerified: true })
      t.not(profile.id, victim.user.id)
    }
    github.accounts.set('liar', { id: 9999, email: victim.email, emails: [{ email: victim.email, primary: true, verified: false }, { email: address(), primary: false, verified: true }] })
    t.match(await signIn(browser(), 'github', { as: 'liar' }), { error: 'email_required' })
  })

  t.test("at GitHub belongs to the number of an account: a login that was taken over is somebody else's", async t => {
    const [one, two, renamed] = [browser(), browser(), browser()]
    github.accounts.set('octocat', { id: 2_147_483_648, emails: [{ email: address(), primary: true, verified: true }] })
    await signIn(one, 'github', { as: 'octocat' })
    const { id } = await profileIn(one)
    github.accounts.set('monalisa', github.accounts.get('octocat') ?? { id: 0, emails: [] })
    github.accounts.set('octocat', { id: 2_147_483_649, emails: [{ email: address(), primary: true, verified: true }] })
    await signIn(renamed, 'github', { as: 'monalisa' })
    await signIn(two, 'github', { as: 'octocat' })
    t.equal((await profileIn(renamed)).id, id)
    t.not((await profileIn(two)).id, id)
  })

  t.test('of a disabled account is refused', async t => {
    const ada = await accountWith(address())
    await verify(ada)
    const subject = at('google', ada.email)
    await signIn(browser(), 'google', { as: subject })
    const admin = await service.admin()
    t.equal((await service.call(`PATCH /admin/users/${ada.user.id}`, present(admin, { disabled: true }))).status, 200)
    for (const as of [subject, at('google', ada.email), at('github', ada.email)]) {
      const somebody = browser()
      t.match(await signIn(somebody, as.startsWith('subject') && github.accounts.has(as) ? 'github' : 'google', { as }), { at: APP, error: 'account_disabled' })
      t.strictSame(Object.keys(cookiesOf(somebody)).filter(name => /access|session/.test(name)), [])
    }
  })
})

t.test('OIDC_<NAME>_TRUST_EMAIL=true makes a provider trusted for e-mail', async t => {
  const { service, acme, browser } = await startWorld(t, { OIDC_ACME_TRUST_EMAIL: 'true' })
  const ada = await service.person()
  await service.sql('UPDATE users SET email_verified = true WHERE id = $1::uuid', ada.user.id)
  acme.accounts.set('proven', { email: ada.email, email_verified: true })
  acme.accounts.set('claimed', { email: ada.email, email_verified: false })
  t.match(await signIn(browser(), 'acme', { as: 'claimed' }), { error: 'account_exists' })
  const somebody = browser()
  t.match(await signIn(somebody, 'acme', { as: 'proven' }), { error: null })
  t.match((await service.call<Profile>('GET /auth/me', { cookies: cookiesOf(somebody) })).body, { id: ada.user.id })
})
