import { createHash, randomBytes } from 'node:crypto'
import t from 'tap'
import { altered } from '../../support/altered.ts'
import { agree, cookiesOf, outcomeOf, type SignInOutcome } from '../../support/providers/sign-in.ts'
import { APP, APP_LINK, APP_SCHEME, startWorld } from '../../support/providers/world.ts'
import { age, present } from '../../support/presence.ts'
import { isProblem } from '../../support/problem.ts'
import { PASSWORD, type LoginBody, type Person } from '../../support/service.ts'

const EXCHANGE = 'POST /auth/identities/link/exchange'

t.test('linking from a mobile app', async t => {
  const { service, google, browser } = await startWorld(t)
  let count = 0

  /** The app's part, up to the URL that it opens in the system browser. */
  async function startFlow (person: LoginBody, redirectTo = APP_LINK) {
    const codeVerifier = randomBytes(32).toString('base64url')
    const codeChallenge = createHash('sha256').update(codeVerifier).digest('base64url')
    const { status, body, cookies } = await service.call<{ url: string }>('POST /auth/identities/link', present(person, { provider: 'google', redirectTo, codeChallenge }))
    t.strictSame([status, cookies], [200, {}])
    return { url: new URL(body.url), codeVerifier }
  }

  /** The system browser's part, as a new user of the provider. */
  async function goThrough (url: URL): Promise<SignInOutcome & { subject: string }> {
    const subject = `subject-${++count}`
    google.accounts.set(subject, { email: `${subject}@elsewhere.example`, email_verified: true })
    const tab = browser()
    const { location } = await tab.visit(url)
    if (location?.origin !== google.origin) return { ...outcomeOf(await tab.visit(url)), subject }
    const outcome = outcomeOf(await tab.visit(await agree(tab, location, subject), { site: 'cross-site' }))
    t.notOk(Object.keys(cookiesOf(tab)).some(name => /access|refresh|session/.test(name)), 'nobody is logged in by it')
    return { ...outcome, subject }
  }

  async function codeFor (person: Person) {
    const { url, codeVerifier } = await startFlow(person)
    const { at, error, code, subject } = await goThrough(url)
    t.strictSame({ at, error }, { at: APP_LINK, error: null })
    return { code: code ?? '', codeVerifier, subject }
  }

  const linked = (subject: string) => service.sql('SELECT user_id::text AS owner FROM identities WHERE subject = $1', subject)

  t.test('returns a code to the app, and links nothing until the same session exchanges it', async t => {
    const person = await service.person()
    const { code, codeVerifier, subject } = await codeFor(person)
    t.strictSame(await linked(subject), [])
    await age(service, person.user.id)
    t.equal((await service.call(EXCHANGE, present(person, { code, codeVerifier }))).status, 204, 'and what one takes at the provider does not count')
    t.strictSame(await linked(subject), [{ owner: person.user.id }])
    isProblem(t, await service.call(EXCHANGE, present(person, { code, codeVerifier })), 'invalid_code', 'once')
    const trail = await service.sql("SELECT outcome, detail FROM audit_events WHERE action = 'identity_link' AND subject_id = $1::uuid ORDER BY at, id", person.user.id)
    t.strictSame(trail, [{ outcome: 'success', detail: { provider: 'google' } }], 'and a code that is not good leaves no trace')
  })

  t.test('of an account that is deleted while its owner is at the provider ends with an error, and is no failure of the service', async t => {
    const person = await service.person()
    const { url } = await startFlow(person)
    await service.sql('DELETE FROM users WHERE id = $1::uuid', person.user.id)
    t.match(await goThrough(url), { at: APP_LINK, error: 'different_session', code: null })
    t.strictSame(service.log.filter(({ level }) => level >= 50), [])
  })

  t.test('a stolen code links nothing: without the verifier, in another session, by an access token alone', async t => {
    const person = await service.person()
    const thief = await service.person()
    const { code, codeVerifier, subject } = await codeFor(person)
    const another = await service.logIn(person)
    const verifier = randomBytes(32).toString('base64url')
    isProblem(t, await service.call(EXCHANGE, { json: { code, codeVerifier } }), 'unauthenticated')
    isProblem(t, await service.call(EXCHANGE, present(thief, { code, codeVerifier })), 'invalid_code', 'somebody else')
    isProblem(t, await service.call(EXCHANGE, present(another, { code, codeVerifier })), 'invalid_code', 'another session of the same account')
    isProblem(t, await service.call(EXCHANGE, present(person, { code, codeVerifier: verifier })), 'invalid_code', 'another verifier')
    isProblem(t, await service.call(EXCHANGE, { token: person.accessToken, json: { code, codeVerifier } }), 'different_session', 'as Bearer')
    isProblem(t, await service.call(EXCHANGE, { cookies: { '__Host-access': person.accessToken }, headers: { 'x-countersign': '1' }, json: { code, codeVerifier } }), 'different_session', 'as cookie')
    isProblem(t, await service.call(EXCHANGE, present({ ...person, refreshToken: another.refreshToken }, { code, codeVerifier })), 'different_session', 'another session\'s refresh token')
    isProblem(t, await service.call('POST /auth/providers/exchange', { json: { code, codeVerifier } }), 'invalid_code', 'nor is it a sign-in')
    t.strictSame(await linked(subject), [])
    await service.audited()
    const refusals = await service.sql<{ outcome: string, detail: unknown }>("SELECT outcome, detail FROM audit_events WHERE action = 'identity_link' AND subject_id = $1::uuid", person.user.id)
    t.strictSame(refusals[0], { outcome: 'failure', detail: { code: 'different_session' } }, 'and another session leaves a trace')
    t.ok(refusals.length <= 2, 'which the repetitions share')
    t.equal((await service.call(EXCHANGE, present(person, { code, codeVerifier }))).status, 204, 'and the session that began has it still')
  })

  t.test('a code for signing in links nothing', async t => {
    const person = await service.person()
    const codeVerifier = randomBytes(32).toString('base64url')
    google.accounts.set('signing-in', { email: 'signing-in@example.com', email_verified: true })
    const tab = browser()
    const start = new URLSearchParams({ redirectTo: APP_LINK, codeChallenge: createHash('sha256').update(codeVerifier).digest('base64url') })
    const { location } = await tab.visit(`/auth/providers/google?${start}`)
    const { code } = outcomeOf(await tab.visit(await agree(tab, location ?? new URL(APP), 'signing-in'), { site: 'cross-site' }))
    isProblem(t, await service.call(EXCHANGE, present(person, { code, codeVerifier })), 'invalid_code')
    t.equal((await service.call('POST /auth/providers/exchange', { json: { code, codeVerifier } })).status, 200)
  })

  t.test('a URL leads to one code, in however many browsers it is opened', async t => {
    const { url } = await startFlow(await service.person())
    t.match(await goThrough(url), { error: null, code: /.+/ })
    t.match(await goThrough(url), { at: APP_LINK, error: 'invalid_state', code: null })
  })

  t.test('a URL that is modified, of another provider or with more parameters starts nothing', async t => {
    const { url } = await startFlow(await service.person())
    const ticket = url.searchParams.get('linking') ?? ''
    for (const target of [`/auth/providers/google?linking=${altered(ticket)}`, '/auth/providers/google?linking=x', `/auth/providers/github?linking=${ticket}`]) {
      const { status, headers, cookies } = await service.call(`GET ${target}`)
      t.equal(status, 302, target)
      t.match(headers.location, /error=invalid_state/)
      t.strictSame(cookies, {})
    }
    isProblem(t, await service.call(`GET /auth/providers/google?linking=${ticket}&deliver=cookie`), 'validation_failed')
  })

  t.test('a session that ended meanwhile links nothing', async t => {
    const person = await service.person()
    const { code, codeVerifier, subject } = await codeFor(person)
    await service.call('POST /auth/logout', { json: { refreshToken: person.refreshToken } })
    isProblem(t, await service.call(EXCHANGE, present(person, { code, codeVerifier })), 'invalid_token')
    t.strictSame(await linked(subject), [])
  })

  t.test('an identity of another account is refused', async t => {
    const [one, two] = [await service.person(), await service.person()]
    const first = await codeFor(one)
    await service.call(EXCHANGE, present(one, { code: first.code, codeVerifier: first.codeVerifier }))
    const second = await codeFor(two)
    await service.sql('UPDATE one_time_tokens SET data = jsonb_set(data, \'{identity,subject}\', to_jsonb($2::text)) WHERE user_id = $1::uuid', two.user.id, first.subject)
    isProblem(t, await service.call(EXCHANGE, present(two, { code: second.code, codeVerifier: second.codeVerifier })), 'identity_taken')
  })

  t.test('requires a challenge if the session is not in cookies', async t => {
    isProblem(t, await service.call('POST /auth/identities/link', present(await service.person(), { provider: 'google', redirectTo: APP })), 'validation_failed')
  })

  t.test('an app with a custom scheme is named on a page', async t => {
    const { url } = await startFlow(await service.person(), APP_SCHEME)
    const { page } = await goThrough(url)
    t.equal(page.status, 200)
    t.match(page.text, 'com.example.app')
  })

  t.test('works with cookies, too', async t => {
    const person = await service.person()
    const codeVerifier = randomBytes(32).toString('base64url')
    const { cookies: set } = await service.call('POST /auth/login', { json: { email: person.email, password: PASSWORD, deliver: 'session' }, headers: { 'x-countersign': '1' } })
    const call = { cookies: { '__Host-session': set['__Host-session']?.value ?? '' }, headers: { 'x-countersign': '1' } }
    const codeChallenge = createHash('sha256').update(codeVerifier).digest('base64url')
    const { body } = await service.call<{ url: string }>('POST /auth/identities/link', { ...call, json: { provider: 'google', redirectTo: APP_LINK, codeChallenge } })
    const { code, subject } = await goThrough(new URL(body.url))
    t.equal((await service.call(EXCHANGE, { ...call, json: { code, codeVerifier } })).status, 204)
    t.strictSame(await linked(subject), [{ owner: person.user.id }])
  })
})
