import t from 'tap'
import type { Browser, Page } from '../../support/providers/browser.ts'
import { agree, finishFlow, cookiesOf, signIn, type SignInOutcome } from '../../support/providers/sign-in.ts'
import { APP, OTHER_APP, PUBLIC_URL, startWorld } from '../../support/providers/world.ts'
import { age, present } from '../../support/presence.ts'
import { isProblem } from '../../support/problem.ts'
import { PASSWORD, type Person } from '../../support/service.ts'

interface Identity { id: string, provider: string, email: string | null, createdAt: string }
interface Identities { items: Identity[] }

t.test('linking an account at a provider', async t => {
  const { service, google, github, acme, browser } = await startWorld(t)
  let count = 0
  const subjectAt = (provider: 'google' | 'github' | 'acme'): string => {
    const subject = `subject-${++count}`
    const email = `${subject}@elsewhere.example`
    if (provider === 'github') github.accounts.set(subject, { id: 100 + count, emails: [{ email, primary: true, verified: true }] })
    else ({ google, acme })[provider].accounts.set(subject, { email, email_verified: true })
    return subject
  }

  /** A browser with a new logged-in user. */
  async function loggedIn (deliver: 'cookie' | 'session' = 'cookie'): Promise<{ somebody: Browser, person: Person }> {
    const person = await service.person()
    const somebody = browser()
    const { status } = await somebody.visit('/auth/login', { json: { email: person.email, password: PASSWORD, deliver }, site: 'same-origin' })
    t.equal(status, 200)
    return { somebody, person }
  }

  const beginLink = (somebody: Browser, json: object, site: 'same-origin' | 'cross-site' = 'same-origin') => somebody.visit('/auth/identities/link', { json, site })
  const urlOf = (page: Page) => {
    t.equal(page.status, 200, page.text)
    return (JSON.parse(page.text) as { url: string }).url
  }

  async function link (somebody: Browser, provider: string, as: string, redirectTo = APP): Promise<SignInOutcome> {
    return finishFlow(somebody, await agree(somebody, new URL(urlOf(await beginLink(somebody, { provider, redirectTo }))), as))
  }

  const identitiesIn = async (somebody: Browser) => (await service.call<Identities>('GET /auth/identities', { cookies: cookiesOf(somebody) })).body.items
  const whoIs = async (somebody: Browser) => (await service.call<{ id: string }>('GET /auth/verify', { cookies: cookiesOf(somebody) })).body?.id
  const isIn = async (somebody: Browser) => (await service.call('GET /auth/verify', { cookies: cookiesOf(somebody) })).status === 200

  for (const deliver of ['cookie', 'session'] as const) {
    t.test(`with deliver: ${deliver}, is started by the user, finishes in the same session, and allows logging in from then on`, async t => {
      const { somebody, person } = await loggedIn(deliver)
      t.strictSame(await identitiesIn(somebody), [])
      const subject = subjectAt('google')
      const before = cookiesOf(somebody)
      t.match(await link(somebody, 'google', subject, OTHER_APP), { at: OTHER_APP, error: null, code: null })
      t.match(await identitiesIn(somebody), [{ provider: 'google', email: `${subject}@elsewhere.example`, createdAt: /^\d{4}-.*Z$/ }])
      for (const name of ['__Host-access', '__Host-session']) t.equal(cookiesOf(somebody)[name], before[name], 'the session is the one it was')

      const elsewhere = browser()
      await signIn(elsewhere, 'google', { as: subject })
      t.equal(await whoIs(elsewhere), person.user.id)
      t.match((await service.call('GET /auth/me', { cookies: cookiesOf(somebody) })).body, { email: person.email, emailVerified: false }, 'and the address of the account stays')
    })
  }

  t.test('of several providers is listed for the user alone', async t => {
    const { somebody } = await loggedIn()
    for (const provider of ['google', 'github', 'acme'] as const) t.match(await link(somebody, provider, subjectAt(provider)), { error: null })
    const found = await identitiesIn(somebody)
    t.strictSame(found.map(({ provider }) => provider).sort(), ['acme', 'github', 'google'])
    for (const identity of found) t.strictSame(Object.keys(identity).filter(name => /token|secret|cipher/i.test(name)), [], 'no secret in it')
    const { somebody: stranger } = await loggedIn()
    t.strictSame(await identitiesIn(stranger), [])
  })

  t.test('a second time changes nothing', async t => {
    const { somebody } = await loggedIn()
    const subject = subjectAt('google')
    t.match(await link(somebody, 'google', subject), { error: null })
    t.match(await link(somebody, 'google', subject), { error: null })
    t.equal((await identitiesIn(somebody)).length, 1)
  })

  t.test('that is linked to another account is refused, and moves nothing', async t => {
    const [{ somebody: one }, { somebody: two }] = [await loggedIn(), await loggedIn()]
    const subject = subjectAt('google')
    await link(one, 'google', subject)
    t.match(await link(two, 'google', subject), { at: APP, error: 'identity_taken' })
    t.equal((await identitiesIn(one)).length, 1)
    t.strictSame(await identitiesIn(two), [])
  })

  t.test('requires a logged-in user', async t => {
    isProblem(t, await service.call('POST /auth/identities/link', { json: { provider: 'google', redirectTo: APP } }), 'unauthenticated')
    isProblem(t, await service.call('GET /auth/identities'), 'unauthenticated')
  })

  t.test('cannot be started from another site', async t => {
    const { somebody } = await loggedIn()
    // A browser does not send its cookies here; the service does not rely on that.
    const cookies = cookiesOf(somebody)
    const text = new URLSearchParams({ provider: 'google', redirectTo: APP }).toString()
    for (const origin of ['https://evil.example', 'null']) {
      const headers = { 'sec-fetch-site': 'cross-site', origin }
      isProblem(t, await service.call('POST /auth/identities/link', { cookies, headers, json: { provider: 'google', redirectTo: APP } }), 'cross_site_request', origin)
      const form = await service.call('POST /auth/identities/link', { cookies, headers: { ...headers, 'content-type': 'application/x-www-form-urlencoded' }, text })
      isProblem(t, form, 'cross_site_request', `a form of ${origin}`)
    }
    t.equal((await somebody.visit('/auth/identities/link?provider=google', { site: 'cross-site' })).status, 404, 'a GET')
    t.notOk(Object.keys(cookiesOf(somebody)).some(name => name.includes('flow-')))
  })

  t.test('cannot be forced by a link to sign in: the present session gains no identity', async t => {
    const { somebody, person } = await loggedIn()
    const attackers = subjectAt('google')
    // The victim follows the attacker's link, and the provider returns the attacker's account.
    await signIn(somebody, 'google', { as: attackers })
    t.strictSame(await service.sql('SELECT 1 FROM identities WHERE user_id = $1::uuid', person.user.id), [])
    t.not(await whoIs(somebody), person.user.id)
  })

  t.test('does not finish in another session: not logged out, not another user’s, not another of the same user', async t => {
    const changes: Record<string, (somebody: Browser, person: Person) => Promise<void>> = {
      'logged out': async somebody => { await somebody.visit('/auth/logout', { method: 'POST', site: 'same-origin' }) },
      'cookies gone': async somebody => { somebody.jar.forget('auth.example.com', name => !name.includes('flow-')) },
      'somebody else': async somebody => {
        const other = await service.person()
        await somebody.visit('/auth/login', { json: { email: other.email, password: PASSWORD, deliver: 'cookie' }, site: 'same-origin' })
      },
      'another session of one’s own': async (somebody, person) => {
        somebody.jar.forget('auth.example.com', name => !name.includes('flow-'))
        await somebody.visit('/auth/login', { json: { email: person.email, password: PASSWORD, deliver: 'cookie' }, site: 'same-origin' })
      },
      'logged out by another device': async (_somebody, person) => {
        await service.call('DELETE /auth/sessions', { token: person.accessToken })
      }
    }
    for (const [name, change] of Object.entries(changes)) {
      const { somebody, person } = await loggedIn()
      const subject = subjectAt('google')
      const callback = await agree(somebody, new URL(urlOf(await beginLink(somebody, { provider: 'google', redirectTo: APP }))), subject)
      await change(somebody, person)
      t.match(await finishFlow(somebody, callback), { at: APP, error: 'different_session' }, name)
      t.strictSame(await service.sql('SELECT 1 FROM identities WHERE subject = $1', subject), [], `${name}: nothing is linked`)
    }
  })

  t.test('is not completed in the browser of another user who opens the URL', async t => {
    const [{ somebody: attacker }, { somebody: victim, person }] = [await loggedIn(), await loggedIn()]
    const trap = await agree(attacker, new URL(urlOf(await beginLink(attacker, { provider: 'google', redirectTo: APP }))), subjectAt('google'))
    t.match(await finishFlow(victim, trap), { error: 'invalid_state' })
    t.strictSame(await service.sql('SELECT 1 FROM identities WHERE user_id = $1::uuid', person.user.id), [])
  })

  t.test('requires another login when the last is older than five minutes', async t => {
    const { somebody, person } = await loggedIn()
    await age(service, person.user.id)
    const answer = await beginLink(somebody, { provider: 'google', redirectTo: APP })
    t.match({ status: answer.status, body: JSON.parse(answer.text) as unknown }, { status: 401, body: { code: 'insufficient_user_authentication', maxAge: 300 } })
    await somebody.visit('/auth/login', { json: { email: person.email, password: PASSWORD, deliver: 'cookie' }, site: 'same-origin' })
    const url = urlOf(await beginLink(somebody, { provider: 'google', redirectTo: APP }))
    await age(service, person.user.id)
    t.match(await finishFlow(somebody, await agree(somebody, new URL(url), subjectAt('google'))), { error: null }, 'and counts from where it was begun')
  })

  t.test('is refused for an unknown provider, and with unknown fields', async t => {
    const person = await service.person()
    isProblem(t, await service.call('POST /auth/identities/link', present(person, { provider: 'nobody', redirectTo: APP })), 'not_found')
    for (const json of [{ provider: 'google', redirectTo: APP, userId: 'x' }, { redirectTo: APP }, { provider: 'google', redirectTo: APP, password: PASSWORD }]) {
      isProblem(t, await service.call('POST /auth/identities/link', present(person, json)), 'validation_failed')
    }
  })

  t.test('undone, cannot be used to log in any more', async t => {
    const { somebody, person } = await loggedIn()
    const subject = subjectAt('google')
    await link(somebody, 'google', subject)
    const [identity] = await identitiesIn(somebody)
    t.equal((await somebody.visit(`/auth/identities/${identity?.id}`, { method: 'DELETE', site: 'same-origin' })).status, 204)
    t.strictSame(await identitiesIn(somebody), [])
    t.ok(await isIn(somebody), 'and nobody is logged out by it')
    const elsewhere = browser()
    await signIn(elsewhere, 'google', { as: subject })
    t.not(await whoIs(elsewhere), person.user.id)
  })

  t.test('undone from another site, or by another user, is refused', async t => {
    const [{ somebody }, { person: stranger }] = [await loggedIn(), await loggedIn()]
    await link(somebody, 'google', subjectAt('google'))
    const [identity] = await identitiesIn(somebody)
    const target = `/auth/identities/${identity?.id}`
    isProblem(t, await service.call(`DELETE ${target}`, { cookies: cookiesOf(somebody), headers: { 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' } }), 'cross_site_request')
    isProblem(t, await service.call(`DELETE ${target}`, present(stranger)), 'not_found')
    isProblem(t, await service.call('DELETE /auth/identities/0198c5a4-6f5e-7a6b-9d3f-2f6a3b1c4d5e', present(stranger)), 'not_found')
    t.equal((await identitiesIn(somebody)).length, 1)
  })

  t.test('cannot be undone when it is the last way to log in', async t => {
    const somebody = browser()
    await signIn(somebody, 'google', { as: subjectAt('google') })
    const [only] = await identitiesIn(somebody)
    const last = await somebody.visit(`/auth/identities/${only?.id}`, { method: 'DELETE', site: 'same-origin' })
    t.match(JSON.parse(last.text), { status: 409, code: 'last_way_in' })

    t.match(await link(somebody, 'github', subjectAt('github')), { error: null })
    const both = await identitiesIn(somebody)
    t.equal(both.length, 2)
    const answers = await Promise.all(both.map(({ id }) => somebody.visit(`/auth/identities/${id}`, { method: 'DELETE', site: 'same-origin' })))
    t.strictSame(answers.map(({ status }) => status).sort(), [204, 409], 'of two at once, one stays')
    t.equal((await identitiesIn(somebody)).length, 1)
  })

  t.test('and unlinking are in the audit trail', async t => {
    const { somebody, person } = await loggedIn()
    await link(somebody, 'google', subjectAt('google'))
    const [identity] = await identitiesIn(somebody)
    await somebody.visit(`/auth/identities/${identity?.id}`, { method: 'DELETE', site: 'same-origin' })
    const events = await service.sql<{ action: string, outcome: string, detail: unknown }>("SELECT action, outcome, detail FROM audit_events WHERE subject_id = $1::uuid AND action LIKE '%link%' ORDER BY at, id", person.user.id)
    t.match(events, [{ outcome: 'success', detail: { provider: 'google' } }, { outcome: 'success', detail: { provider: 'google' } }])
    t.equal(events.length, 2)
  })

  t.test('ends with the account: its identity can be linked again', async t => {
    const somebody = browser()
    const subject = subjectAt('google')
    await signIn(somebody, 'google', { as: subject })
    const first = await whoIs(somebody)
    await service.sql('DELETE FROM users WHERE id = $1::uuid', first)
    const again = browser()
    t.match(await signIn(again, 'google', { as: subject }), { error: null })
    t.not(await whoIs(again), first)
  })

  t.test('finishes with Strict cookies, by a page of the service itself', async t => {
    const strict = await startWorld(t, { COOKIE_SAMESITE: 'strict' })
    strict.google.accounts.set('ada', { email: 'ada@elsewhere.example', email_verified: true })
    const { email } = await strict.service.person()
    const somebody = strict.browser()
    await somebody.visit('/auth/login', { json: { email, password: PASSWORD, deliver: 'cookie' }, site: 'same-origin' })
    const callback = await agree(somebody, new URL(urlOf(await beginLink(somebody, { provider: 'google', redirectTo: APP }))), 'ada')
    const page = await somebody.visit(callback, { site: 'cross-site' })
    t.equal(page.status, 200)
    const [, next = ''] = /http-equiv="refresh" content="0;url=([^"]*)"/.exec(page.text) ?? []
    const home = await somebody.visit(new URL(next.replaceAll('&amp;', '&'), callback), { site: 'same-origin' })
    t.equal(home.location?.href, APP)
    t.match((await strict.service.call<Identities>('GET /auth/identities', { cookies: cookiesOf(somebody) })).body.items, [{ provider: 'google' }])
  })

  t.test('redirects to the app’s target and no other', async t => {
    const { somebody } = await loggedIn()
    const url = new URL(urlOf(await beginLink(somebody, { provider: 'google', redirectTo: APP })))
    t.ok([google.origin, PUBLIC_URL].includes(url.origin), url.origin)
  })
})
