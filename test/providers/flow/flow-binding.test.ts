import t from 'tap'
import { createEncryption } from '../../../src/tokens/encryption.ts'
import { deriveKeyRing } from '../../../src/tokens/derived-keys.ts'
import type { Browser } from '../../support/providers/browser.ts'
import { agree, startFlow, finishFlow, cookiesOf, outcomeOf, signIn, startUrl } from '../../support/providers/sign-in.ts'
import { APP, OTHER_APP, startWorld } from '../../support/providers/world.ts'

const HOST = 'auth.example.com'
const flowsOf = (browser: Browser) => Object.keys(cookiesOf(browser)).filter(name => name.includes('flow-'))
const isLoggedIn = (browser: Browser) => ['__Host-access', '__Host-session'].some(name => name in cookiesOf(browser))

t.test('a flow belongs to the browser that started it', async t => {
  const { service, google, github, acme, browser } = await startWorld(t)
  google.accounts.set('ada', { email: 'ada@example.com', email_verified: true })
  google.accounts.set('mallory', { email: 'mallory@example.com', email_verified: true })
  github.accounts.set('ada', { id: 1, emails: [{ email: 'ada@github.example', primary: true, verified: true }] })
  acme.accounts.set('ada', { email: 'ada@acme.example' })

  t.test('by an httpOnly cookie, for ten minutes', async t => {
    const somebody = browser()
    const url = await startFlow(somebody, 'google')
    const [name = '', ...others] = flowsOf(somebody)
    t.match(name, /^__Host-flow-[\w-]{8,}$/)
    t.strictSame(others, [])
    const state = url.searchParams.get('state') ?? ''
    t.notOk(name.includes(state.slice(0, 16)), 'the state is in the name as a hash alone')
    const value = cookiesOf(somebody)[name] ?? ''
    for (const secret of [state, url.searchParams.get('nonce') ?? '-', APP]) {
      t.notOk([value, decodeURIComponent(value), Buffer.from(value, 'base64url').toString('latin1')].some(text => text.includes(secret)), 'and nothing can be read in it')
    }
    t.strictSame([...somebody.jar.attributesOf(HOST, name)].sort(), ['HttpOnly', 'Max-Age=600', 'Path=/', 'SameSite=Lax', 'Secure'])
  })

  t.test('and the cookie stays Lax when other cookies are Strict, because the callback comes from another site', async t => {
    const strict = await startWorld(t, { COOKIE_SAMESITE: 'strict' })
    const somebody = strict.browser()
    await startFlow(somebody, 'google')
    t.ok(strict.browser)
    t.ok(somebody.jar.attributesOf(HOST, flowsOf(somebody)[0] ?? '').includes('SameSite=Lax'))
  })

  t.test('starting a flow writes nothing', async t => {
    const rows = async () => service.sql<{ n: number }>('SELECT count(*)::int AS n FROM one_time_tokens')
    const before = await rows()
    await startFlow(browser(), 'google')
    t.strictSame(await rows(), before)
  })

  t.test('the callback of one browser opens nothing in another', async t => {
    const [ada, mallory] = [browser(), browser()]
    const callback = await agree(ada, await startFlow(ada, 'google'), 'ada')
    t.match(await finishFlow(mallory, callback), { at: APP, error: 'invalid_state' })
    t.notOk(isLoggedIn(mallory))
  })

  t.test('a callback that an attacker prepared logs nobody in as the attacker', async t => {
    const [mallory, victim] = [browser(), browser()]
    const trap = await agree(mallory, await startFlow(mallory, 'google'), 'mallory')
    await startFlow(victim, 'google')
    t.match(await finishFlow(victim, trap), { error: 'invalid_state' })
    t.notOk(isLoggedIn(victim), 'though the victim has a flow of its own under way')
  })

  t.test('a callback works once, even with a copy of its cookie', async t => {
    const somebody = browser()
    const callback = await agree(somebody, await startFlow(somebody, 'google'), 'ada')
    const [flow = ''] = flowsOf(somebody)
    const kept = cookiesOf(somebody)[flow] ?? ''
    t.match(await finishFlow(somebody, callback), { error: null })
    t.strictSame(flowsOf(somebody), [], 'its cookie is gone')

    const again = browser()
    again.jar.set(HOST, flow, kept)
    const { error } = await finishFlow(again, callback)
    t.equal(error, 'invalid_state')
    t.notOk(isLoggedIn(again))
    // Also with a new code of the same flow: the flow is used up, not only the code.
    again.jar.set(HOST, flow, kept)
    const answered = google.asked.length
    t.equal((await finishFlow(again, withParameter(callback, 'code', 'another'))).error, 'invalid_state')
    t.equal(google.asked.length, answered, 'and the provider is not asked')
  })

  t.test('of two callbacks of one flow at once, one logs in', async t => {
    const somebody = browser()
    const callback = await agree(somebody, await startFlow(somebody, 'google'), 'ada')
    const landings = await Promise.all([finishFlow(somebody, callback), finishFlow(somebody, callback)])
    t.strictSame(landings.filter(({ error }) => error === null).length, 1)
  })

  t.test('ends after ten minutes', async t => {
    const somebody = browser()
    const callback = await agree(somebody, await startFlow(somebody, 'google'), 'ada')
    const [name = ''] = flowsOf(somebody)
    const id = name.slice('__Host-flow-'.length)
    const encryption = createEncryption(deriveKeyRing(service.config.secrets, 'flow'))
    const flow = JSON.parse(encryption.decrypt(cookiesOf(somebody)[name] ?? '', id) ?? '{}') as { startedAt: number }
    somebody.jar.set(HOST, name, encryption.encrypt(JSON.stringify({ ...flow, startedAt: flow.startedAt - 601_000 }), id))
    t.match(await finishFlow(somebody, callback), { at: APP, error: 'invalid_state' })
    t.notOk(isLoggedIn(somebody))
  })

  t.test('tabs do not disturb each other, in whatever order they finish', async t => {
    const somebody = browser()
    const one = await startFlow(somebody, 'google', { redirectTo: APP })
    const two = await startFlow(somebody, 'github', { redirectTo: OTHER_APP })
    t.equal(flowsOf(somebody).length, 2)
    t.match(await finishFlow(somebody, await agree(somebody, one, 'ada')), { at: APP, error: null })
    t.match(await finishFlow(somebody, await agree(somebody, two, 'ada')), { at: OTHER_APP, error: null })
  })

  t.test('of six flows, the newest five can be finished', async t => {
    const somebody = browser()
    const urls: URL[] = []
    for (let tab = 0; tab < 6; tab++) urls.push(await startFlow(somebody, 'google'))
    t.equal(flowsOf(somebody).length, 5)
    const errors: Array<string | null> = []
    for (const url of urls) errors.push((await finishFlow(somebody, await agree(somebody, url, 'ada'))).error)
    t.strictSame(errors, ['invalid_state', null, null, null, null, null])
  })

  t.test('a callback without a code or a state redirects with an error, and never shows a blank page', async t => {
    for (const query of ['', '?', '?code=x', '?state=x', '?code=&state=', '?code=x&state=unknown', `?code=x&state=${'s'.repeat(5000)}`, '?code=a&code=b&state=c&state=d', '?error=access_denied', '?error=%00%0d%0aset-cookie:x=1&state=x', '?state[]=x&code[]=y', '?code=%E0%A4%A&state=%zz']) {
      const page = await browser().visit(`/auth/providers/google/callback${query}`, { site: 'cross-site' })
      t.equal(page.status, 302, query.slice(0, 40))
      const { at, error } = outcomeOf(page)
      t.strictSame({ at, error }, { at: APP, error: 'invalid_state' }, query.slice(0, 40))
    }
  })

  t.test('a callback without a code redirects to the flow\'s own target', async t => {
    const somebody = browser()
    const state = (await startFlow(somebody, 'google', { redirectTo: OTHER_APP })).searchParams.get('state')
    t.match(outcomeOf(await somebody.visit(`/auth/providers/google/callback?state=${state}`)), { at: OTHER_APP, error: 'provider_error' })
  })

  t.test("the provider's error description never reaches the app's URL", async t => {
    const somebody = browser()
    const state = (await startFlow(somebody, 'google')).searchParams.get('state')
    const { page, error } = outcomeOf(await somebody.visit(`/auth/providers/google/callback?state=${state}&error=server_error&error_description=canary-of-the-provider&iss=${encodeURIComponent(google.issuer)}`))
    t.match(error, /^[a-z_]+$/)
    t.notOk(page.location?.href.includes('canary'))
  })

  t.test('a cookie that was modified, truncated or moved to another flow counts as missing', async t => {
    const somebody = browser()
    const callback = await agree(somebody, await startFlow(somebody, 'google'), 'ada')
    const [flow = ''] = flowsOf(somebody)
    const value = cookiesOf(somebody)[flow] ?? ''
    const other = browser()
    await startFlow(other, 'google')
    const moved = cookiesOf(other)[flowsOf(other)[0] ?? ''] ?? ''
    const middle = Math.floor(value.length / 2)
    const flipped = value.slice(0, middle) + (value[middle] === 'A' ? 'B' : 'A') + value.slice(middle + 1)
    for (const bad of ['', 'x', value.slice(0, -2), `${value}AA`, flipped, moved]) {
      const forger = browser()
      forger.jar.set(HOST, flow, bad)
      t.match(await finishFlow(forger, callback), { error: 'invalid_state' }, bad.slice(0, 20))
      t.notOk(isLoggedIn(forger))
    }
    t.match(await finishFlow(somebody, callback), { error: null }, 'the true one is good all the while')
  })

  t.test('a flow that was started with one provider cannot be finished with another', async t => {
    const somebody = browser()
    const callback = await agree(somebody, await startFlow(somebody, 'google'), 'ada')
    const mixedUp = new URL(callback)
    mixedUp.pathname = '/auth/providers/acme/callback'
    const { error } = await finishFlow(somebody, mixedUp)
    t.ok(error === 'invalid_state' || error === 'provider_error', `${error}`)
    t.notOk(isLoggedIn(somebody))
    t.notOk(acme.asked.some(({ path }) => path === '/token'), "and the other's token endpoint never sees the code")
  })

  t.test('a callback with the issuer of another provider is a mix-up (RFC 9207)', async t => {
    for (const iss of [acme.issuer, 'https://evil.example', '', `${google.issuer}/`, undefined]) {
      const somebody = browser()
      const callback = await agree(somebody, await startFlow(somebody, 'google'), 'ada')
      if (iss === undefined) callback.searchParams.delete('iss')
      else callback.searchParams.set('iss', iss)
      const asked = google.asked.filter(({ path }) => path === '/token').length
      t.match(await finishFlow(somebody, callback), { at: APP, error: 'provider_error' }, String(iss))
      t.equal(google.asked.filter(({ path }) => path === '/token').length, asked, 'the code is not sent')
      t.notOk(isLoggedIn(somebody))
    }
  })

  t.test('an injected code is refused by PKCE, though the state is right', async t => {
    const [victim, mallory] = [browser(), browser()]
    const stolen = (await agree(victim, await startFlow(victim, 'google'), 'ada')).searchParams.get('code') ?? ''
    const own = await agree(mallory, await startFlow(mallory, 'google'), 'mallory')
    t.match(await finishFlow(mallory, withParameter(own, 'code', stolen)), { error: 'provider_error' })
    t.notOk(isLoggedIn(mallory))
  })

  t.test('a challenge that was removed or weakened on the way is refused (PKCE downgrade)', async t => {
    for (const weaken of [
      (url: URL) => { url.searchParams.set('code_challenge', 'x'.repeat(43)) },
      (url: URL) => { url.searchParams.set('code_challenge_method', 'plain') },
      (url: URL) => { url.searchParams.delete('code_challenge'); url.searchParams.delete('code_challenge_method') }
    ]) {
      const somebody = browser()
      const url = await startFlow(somebody, 'github')
      weaken(url)
      const callback = await agree(somebody, url, 'ada')
      const { error } = await finishFlow(somebody, callback)
      if (url.searchParams.has('code_challenge')) t.equal(error, 'provider_error')
      // A provider that requires no verifier does not notice; the state still binds the callback to this browser.
      else t.equal(error, null)
    }
    for (const [name, value] of [['code_challenge_method', 'plain'], ['code_challenge', undefined]] as const) {
      const somebody = browser()
      const url = await startFlow(somebody, 'google')
      if (value === undefined) url.searchParams.delete(name)
      else url.searchParams.set(name, value)
      const { error } = await finishFlow(somebody, await agree(somebody, url, 'ada'))
      t.not(error, null, `${name}: refused by the provider itself, and told`)
      t.notOk(isLoggedIn(somebody))
    }
  })

  t.test('an internal error redirects as well, and does not reveal the cause', async t => {
    const somebody = browser()
    const callback = await agree(somebody, await startFlow(somebody, 'google'), 'ada')
    await service.sql('ALTER TABLE identities RENAME TO identities_away')
    const outcome = await finishFlow(somebody, callback).finally(() => service.sql('ALTER TABLE identities_away RENAME TO identities'))
    t.match(outcome, { at: APP, error: 'internal_error', page: { status: 302, text: '' } })
    t.notOk(isLoggedIn(somebody))
    t.ok(service.log.some(({ level, err }) => level === 50 && JSON.stringify(err).includes('identities')), 'the log knows')
  })

  t.test('an unknown `deliver` is refused before a cookie is set', async t => {
    for (const parameters of [{ deliver: 'body' }, { deliver: 'both' }, { deliver: '' }]) {
      const somebody = browser()
      const page = await somebody.visit(startUrl('google', { parameters }))
      t.equal(page.status, 422, JSON.stringify(parameters))
      t.strictSame(flowsOf(somebody), [])
    }
  })

  t.test('signing in again replaces the session', async t => {
    const somebody = browser()
    await signIn(somebody, 'google', { as: 'ada', deliver: 'session' })
    t.match(await signIn(somebody, 'acme', { as: 'ada', deliver: 'cookie' }), { error: null })
    t.notOk('__Host-session' in cookiesOf(somebody))
    t.match(await service.call('GET /auth/verify', { cookies: cookiesOf(somebody) }), { status: 200, body: { email: 'ada@acme.example' } })
  })
})

function withParameter (url: URL, name: string, value: string): URL {
  const changed = new URL(url)
  changed.searchParams.set(name, value)
  return changed
}
