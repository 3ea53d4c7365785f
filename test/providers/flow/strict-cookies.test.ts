import t from 'tap'
import { agree, cookiesOf, finishFlow, signIn, startFlow } from '../../support/providers/sign-in.ts'
import { APP as WORLD_APP, APP_LINK, OTHER_APP, startWorld } from '../../support/providers/world.ts'
import { startService } from '../../support/service.ts'

const APP = 'https://app.example.com/welcome'

t.test('linking where cookies are SameSite=Strict', async t => {
  const service = await startService(t, {
    PUBLIC_URL: 'https://auth.example.com',
    ALLOWED_REDIRECTS: APP,
    COOKIE_SAMESITE: 'strict',
    GITHUB_CLIENT_ID: 'countersign',
    GITHUB_CLIENT_SECRET: 'secret of github'
  })
  const cookies = await service.cookiesOf(await service.person())
  const begun = await service.call<{ url: string }>('POST /auth/identities/link', { cookies, json: { provider: 'github' }, headers: { 'sec-fetch-site': 'same-origin' } })
  const [[name = '', flow] = []] = Object.entries(begun.cookies)
  const ofFlow = { [name]: flow?.value ?? '' }
  const state = new URL(begun.body.url).searchParams.get('state') ?? ''
  const target = `GET /auth/providers/github/callback?error=access_denied&state=${state}`

  t.test('the flow\'s own cookie is Lax, for it has to come along from the provider', async t => {
    t.match(name, /^__Host-flow-/)
    t.ok(flow?.attributes.includes('SameSite=Lax'))
  })

  t.test('a callback without them is reloaded by a page of the service, and nothing is used up', async t => {
    const { status, headers, text, cookies: set } = await service.call(target, { cookies: ofFlow, headers: { 'sec-fetch-site': 'cross-site' } })
    t.equal(status, 200)
    t.match(headers['content-security-policy'], /default-src 'none'/)
    t.ok(text.includes(`content="0;url=?error=access_denied&amp;state=${state}"`))
    t.strictSame(set, {})
  })

  t.test('once: from our own page it has to come with the session', async t => {
    const { status, headers } = await service.call(target, { cookies: ofFlow, headers: { 'sec-fetch-site': 'same-origin' } })
    t.match({ status, headers }, { status: 302, headers: { location: `${APP}?error=different_session` } })
  })

  t.test('with the session the flow goes on', async t => {
    const { status, headers } = await service.call(target, { cookies: { ...cookies, ...ofFlow }, headers: { 'sec-fetch-site': 'same-origin' } })
    t.match({ status, headers }, { status: 302, headers: { location: `${APP}?error=access_denied` } })
  })

  t.test('what a provider sends back cannot write into the page', async t => {
    const { text } = await service.call(`${target}&x="><script>alert(1)</script>`, { cookies: ofFlow, headers: { 'sec-fetch-site': 'cross-site' } })
    t.notMatch(text, /<script/)
  })
})

t.test('signing in where cookies are SameSite=Strict', async t => {
  const { google, browser } = await startWorld(t, { COOKIE_SAMESITE: 'strict' })
  google.accounts.set('ada', { email: 'ada@example.com', email_verified: true })

  t.test('ends on a page of the service, which sets the cookies and goes on', async t => {
    const somebody = browser()
    const { page } = await signIn(somebody, 'google', { as: 'ada' })
    t.equal(page.status, 200)
    t.ok(page.text.includes(`content="0;url=${WORLD_APP}"`))
    t.match(page.headers['content-security-policy'], /default-src 'none'/)
    t.equal(page.headers['cache-control'], 'no-store')
    t.ok('__Host-access' in cookiesOf(somebody))
  })

  t.test('so does one that failed, for its browser may be logged in', async t => {
    const { page } = await signIn(browser(), 'google', { as: null })
    t.equal(page.status, 200)
    t.match(page.text, `content="0;url=${WORLD_APP}?error=access_denied&amp;request_id=`)
    const callback = '/auth/providers/google/callback?code=x&state=y'
    t.match(await browser().visit(callback, { site: 'cross-site' }), { status: 200, text: 'content="0;url=?code=x&amp;state=y"' }, 'asked again, with the cookies')
    t.match(await browser().visit(callback, { site: 'same-origin' }), { status: 302, location: { search: /error=invalid_state/ } })
  })

  t.test('a callback that is loaded again goes where it went, though no cookie comes along', async t => {
    const somebody = browser()
    const callback = await agree(somebody, await startFlow(somebody, 'google', { redirectTo: OTHER_APP }), 'ada')
    t.match((await finishFlow(somebody, callback)).page.text, `content="0;url=${OTHER_APP}"`)
    const again = await browser().visit(callback, { site: 'cross-site' })
    t.match(again, { status: 200, text: 'content="0;url=?code=' }, 'by a page of our own')
    t.strictSame(again.headers['set-cookie'], undefined)
    t.match(await somebody.visit(callback, { site: 'same-origin' }), { status: 302, location: { href: OTHER_APP } })
  })

  t.test('a mobile app is redirected to at once: it gets no cookies', async t => {
    const { page, code } = await signIn(browser(), 'google', { as: 'ada', redirectTo: APP_LINK, parameters: { codeChallenge: 'c'.repeat(43) } })
    t.equal(page.status, 302)
    t.ok(code)
  })
})
