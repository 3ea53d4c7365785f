import { once } from 'node:events'
import { request, type IncomingMessage } from 'node:http'
import t, { type Test } from 'tap'
import { agree, cookiesOf, finishFlow, signIn, startFlow } from '../../support/providers/sign-in.ts'
import type { Browser } from '../../support/providers/browser.ts'
import { APP, OTHER_APP, PUBLIC_URL, startWorld } from '../../support/providers/world.ts'
import { PASSWORD } from '../../support/service.ts'

const HOST = 'auth.example.com'
const flowsOf = (browser: Browser) => Object.keys(cookiesOf(browser)).filter(name => name.includes('flow-'))
const isLoggedIn = (browser: Browser) => '__Host-access' in cookiesOf(browser)

t.test('a callback that is loaded again', async t => {
  const { service, google, browser } = await startWorld(t)
  google.accounts.set('ada', { email: 'ada@example.com', email_verified: true })
  google.accounts.set('grace', { email: 'grace@example.com', email_verified: true })
  const origin = await service.listen()

  t.test('goes where the first went, for whoever is signed in by it', async t => {
    const somebody = browser()
    const callback = await agree(somebody, await startFlow(somebody, 'google', { redirectTo: OTHER_APP }), 'ada')
    t.match(await finishFlow(somebody, callback), { at: OTHER_APP, error: null })
    const before = cookiesOf(somebody)
    t.match(await finishFlow(somebody, callback), { at: OTHER_APP, error: null })
    t.strictSame(cookiesOf(somebody), before, 'and changes nothing')
    t.strictSame(flowsOf(somebody), [])
  })

  t.test('so does the back button to the provider, and its button there once more', async t => {
    const somebody = browser()
    const url = await startFlow(somebody, 'google', { redirectTo: OTHER_APP })
    await finishFlow(somebody, await agree(somebody, url, 'ada'))
    t.match(await finishFlow(somebody, await agree(somebody, url, 'ada')), { at: OTHER_APP, error: null }, 'with another code')
  })

  t.test('is an error for everybody else, and for whoever has logged out', async t => {
    const [somebody, other] = [browser(), browser()]
    const callback = await agree(somebody, await startFlow(somebody, 'google', { redirectTo: OTHER_APP }), 'ada')
    await finishFlow(somebody, callback)
    t.match(await finishFlow(other, callback), { at: APP, error: 'invalid_state' })
    await signIn(other, 'google', { as: 'grace' })
    t.match(await finishFlow(other, callback), { at: APP, error: 'invalid_state' }, 'another person')
    await somebody.visit('/auth/logout', { method: 'POST', site: 'same-origin' })
    t.match(await finishFlow(somebody, callback), { at: APP, error: 'invalid_state' })
    t.notOk(isLoggedIn(somebody), 'and signs nobody in again')
  })

  t.test('repeats the failure that the first ended in', async t => {
    const somebody = browser()
    const callback = await agree(somebody, await startFlow(somebody, 'google', { redirectTo: OTHER_APP }), null)
    const first = await finishFlow(somebody, callback)
    t.match(first, { at: OTHER_APP, error: 'access_denied' })
    const again = await finishFlow(somebody, callback)
    t.equal(again.page.location?.href, first.page.location?.href)
  })

  /** What a real client sends for the callback: its request, which can be cut off. */
  function send (t: Test, somebody: Browser, callback: URL) {
    const sent = request(new URL(callback.pathname + callback.search, origin), { headers: { cookie: somebody.jar.headerFor(new URL(PUBLIC_URL)) ?? '', 'sec-fetch-site': 'cross-site' }, agent: false })
    sent.on('error', () => {})
    sent.end()
    t.teardown(() => { sent.destroy() })
    return sent
  }

  for (const held of ['before the second began', 'after the second began', 'as the second was, before the third began'] as const) {
    t.test(`while the first was slow, and given up ${held}, signs in: the session that the first opened`, async t => {
      let arrive = () => {}
      let goOn = () => {}
      const [arrived, mayGoOn] = [new Promise<void>(resolve => { arrive = resolve }), new Promise<void>(resolve => { goOn = resolve })]
      google.alter(t, '/token', async reply => {
        arrive()
        await mayGoOn
        return reply
      })
      const somebody = browser()
      const callback = await agree(somebody, await startFlow(somebody, 'google', { redirectTo: OTHER_APP }), 'grace')
      const sessions = async () => (await service.sql<{ n: number }>('SELECT count(*)::int AS n FROM sessions')).map(({ n }) => n)[0] ?? 0
      const before = await sessions()

      const first = send(t, somebody, callback)
      await arrived
      if (held !== 'after the second began') first.destroy()
      const begun = once(service.app.server, 'request')
      const second = send(t, somebody, callback)
      await begun
      if (held === 'after the second began') first.destroy()
      if (held === 'as the second was, before the third began') second.destroy()
      const last = second.destroyed ? send(t, somebody, callback) : second
      const answered = once(last, 'response') as Promise<[IncomingMessage]>
      goOn()
      const [{ statusCode, headers }] = await answered
      t.match({ statusCode, headers }, { statusCode: 302, headers: { location: OTHER_APP } })
      somebody.jar.take(new URL(PUBLIC_URL), headers['set-cookie'] ?? [])
      t.match(await service.call('GET /auth/me', { cookies: cookiesOf(somebody) }), { status: 200, body: { email: 'grace@example.com' } })
      t.equal(await sessions(), before + 1)
    })
  }
})

t.test('a tab whose flow was given up for five later ones', async t => {
  const { service, google, browser } = await startWorld(t)
  google.accounts.set('ada', { email: 'ada@example.com', email_verified: true })

  t.test('goes on without an error where the browser is signed in by now', async t => {
    const somebody = browser()
    const [first, second] = [await startFlow(somebody, 'google'), await startFlow(somebody, 'google')]
    for (let n = 0; n < 4; n++) await startFlow(somebody, 'google')
    const callback = await agree(somebody, first, 'ada')
    t.match(await finishFlow(somebody, callback), { error: 'invalid_state' }, 'nobody is signed in yet')
    t.match(await finishFlow(somebody, await agree(somebody, second, 'ada')), { error: null })
    t.match(await finishFlow(somebody, callback), { at: APP, error: null })
  })

  t.test('tells that nothing was linked, whoever is signed in', async t => {
    const somebody = browser()
    const { email } = await service.person()
    const login = await service.app.inject({ method: 'POST', url: '/auth/login', headers: { 'sec-fetch-site': 'same-origin' }, payload: { email, password: PASSWORD, deliver: 'cookie' } })
    somebody.jar.take(new URL(PUBLIC_URL), [login.headers['set-cookie'] ?? []].flat())
    const begun = await somebody.visit('/auth/identities/link', { json: { provider: 'google' }, site: 'same-origin' })
    const { url } = JSON.parse(begun.text) as { url: string }
    const callback = await agree(somebody, new URL(url), 'ada')
    somebody.jar.forget(HOST, name => name.includes('flow-'))
    t.match(await finishFlow(somebody, callback), { error: 'invalid_state' })
  })
})
