import t from 'tap'
import { freePort } from '../support/free-port.ts'
import { inChromium, openChromium } from '../support/providers/chromium.ts'
import { startWorld } from '../support/providers/world.ts'
import { startExample } from '../examples/example.ts'

t.test('sign-in-page: a button signs in, the page knows who it is, and logging out is for good', inChromium, async t => {
  const [port, appPort] = [await freePort(), await freePort()]
  const [publicUrl, app] = [`http://localhost:${port}`, `http://localhost:${appPort}`]
  const { service, google } = await startWorld(t, { PUBLIC_URL: publicUrl, ALLOWED_ORIGINS: app, ALLOWED_REDIRECTS: `${app}/` })
  await service.app.listen({ host: 'localhost', port })
  google.accounts.set('ada', { email: 'ada@example.com', email_verified: true })
  await startExample(t, 'sign-in-page/app.js', { AUTH_URL: publicUrl, PORT: String(appPort) })

  const page = await (await openChromium(t)).newPage()
  await page.goto(app)
  await page.click('text=Sign in with Google')
  await page.click('text=Cancel')
  await page.waitForSelector('text=You changed your mind.')

  await page.click('text=Sign in with Google')
  await page.fill('[name=account]', 'ada')
  await page.click('text=Continue')
  await page.waitForSelector('text=Hello, ada@example.com')
  t.notMatch(await page.evaluate(() => document.cookie), /access|refresh/)

  // What a proxy says in Countersign's place is no answer.
  const welcome = { contentType: 'text/html', body: '<h1>Welcome</h1>', headers: { 'access-control-allow-origin': app, 'access-control-allow-credentials': 'true' } }
  await page.route('**/auth/me', route => route.fulfill(welcome), { times: 1 })
  await page.goto(app)
  await page.waitForSelector('text=Countersign could not be reached.')
  t.equal(await page.isVisible('text=Sign in with Google'), false)
  await page.goto(app)
  await page.route('**/auth/logout', route => route.fulfill(welcome), { times: 1 })
  await page.click('text=Log out')
  await page.waitForSelector('text=You are still logged in')

  await page.click('text=Log out')
  await page.waitForSelector('text=Nobody is logged in.')
  t.strictSame((await page.context().cookies(publicUrl)).map(({ name }) => name), ['device'])
})
