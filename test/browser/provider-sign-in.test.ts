import type { Page } from 'playwright-core'
import t, { type Test } from 'tap'
import { freePort } from '../support/free-port.ts'
import { inChromium, openChromium } from '../support/providers/chromium.ts'
import { sendJson, startProviderServer } from '../support/providers/provider-server.ts'
import { startWorld } from '../support/providers/world.ts'

/** The pages of an app with sign-in buttons, on another origin. */
async function startApp (t: Test, service: string) {
  return startProviderServer(t, origin => (request, response) => {
    if (request.url === '/favicon.ico') return sendJson(response, {}, 404)
    response.setHeader('content-type', 'text/html; charset=utf-8')
    response.end(`<!doctype html>
<title>The app</title>
<h1>${new URL(request.url ?? '/', origin).pathname}</h1>
${['google', 'github', 'facebook', 'acme'].map(id => `<a id="${id}" href="${service}/auth/providers/${id}?redirectTo=${encodeURIComponent(`${origin}/welcome`)}">Sign in with ${id}</a>`).join('\n')}
`)
  })
}

t.test('signing in through a provider in Chromium', inChromium, async t => {
  const port = await freePort()
  const publicUrl = `http://localhost:${port}`
  const app = await startApp(t, publicUrl)
  const appOrigin = app.origin
  const world = await startWorld(t, { PUBLIC_URL: publicUrl, ALLOWED_REDIRECTS: `${appOrigin}/welcome`, ALLOWED_ORIGINS: appOrigin })
  const { service, google, github, facebook, acme } = world
  await service.app.listen({ host: '127.0.0.1', port })
  google.accounts.set('ada', { email: 'ada@gmail.example', email_verified: true, name: 'Ada Lovelace' })
  github.accounts.set('ada', { id: 1815, name: 'Ada', emails: [{ email: 'ada@github.example', primary: true, verified: true }] })
  facebook.accounts.set('ada', { name: 'Ada', email: 'ada@facebook.example' })
  acme.accounts.set('ada', { email: 'ada@acme.example' })

  async function signInBy (page: Page, provider: string, decision: 'Continue' | 'Cancel' = 'Continue'): Promise<URL> {
    await page.goto(`${appOrigin}/`)
    await page.click(`#${provider}`)
    await page.fill('[name=account]', 'ada')
    await Promise.all([page.waitForURL(`${appOrigin}/welcome**`), page.click(`text=${decision}`)])
    return new URL(page.url())
  }

  for (const [provider, email] of [['google', 'ada@gmail.example'], ['github', 'ada@github.example'], ['facebook', 'ada@facebook.example'], ['acme', 'ada@acme.example']] as const) {
    t.test(`${provider}: a button leads to the provider and back to the app, logged in by cookies that scripts cannot read`, async t => {
      const context = await openChromium(t)
      const page = await context.newPage()
      const landed = await signInBy(page, provider)
      t.equal(landed.origin + landed.pathname + landed.search, `${appOrigin}/welcome`)
      t.equal(await page.textContent('h1'), '/welcome')

      const cookies = await context.cookies(publicUrl)
      t.match(cookies.filter(({ name }) => name === 'access' || name === 'refresh'), [{ httpOnly: true, sameSite: 'Lax' }, { httpOnly: true, sameSite: 'Lax' }])
      t.notOk(cookies.some(({ name }) => name.startsWith('flow-')), 'the flow is over')

      await page.goto(`${publicUrl}/auth/me`)
      t.match(JSON.parse(await page.textContent('body') ?? ''), { email })
      t.notMatch(await page.evaluate(() => document.cookie), /access|refresh|session|flow/)
    })
  }

  t.test('cancelling leads back to the app with an error', async t => {
    const page = await (await openChromium(t)).newPage()
    const landed = await signInBy(page, 'google', 'Cancel')
    t.equal(landed.searchParams.get('error'), 'access_denied')
  })

  t.test('two tabs at once, each with another provider, both finish', async t => {
    const context = await openChromium(t)
    const [one, two] = [await context.newPage(), await context.newPage()]
    for (const [page, provider] of [[one, 'google'], [two, 'github']] as const) {
      await page.goto(`${appOrigin}/`)
      await page.click(`#${provider}`)
      await page.fill('[name=account]', 'ada')
    }
    for (const page of [two, one]) {
      await Promise.all([page.waitForURL(`${appOrigin}/welcome**`), page.click('text=Continue')])
      t.equal(new URL(page.url()).searchParams.get('error'), null)
    }
  })

  t.test('repeating the callback with the browser\'s back button goes where it went', async t => {
    const context = await openChromium(t)
    const page = await context.newPage()
    let callback = ''
    page.on('request', request => { if (request.url().includes('/callback?')) callback = request.url() })
    await signInBy(page, 'google')
    t.match(callback, /state=/)
    await page.goto(callback)
    t.equal(new URL(page.url()).origin, appOrigin)
    t.equal(new URL(page.url()).searchParams.get('error'), null)
  })
})
