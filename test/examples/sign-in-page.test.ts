import t from 'tap'
import { freePort } from '../support/free-port.ts'
import { inChromium, openChromium } from '../support/providers/chromium.ts'
import { startWorld } from '../support/providers/world.ts'
import { startExample } from './example.ts'

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

  await page.click('text=Log out')
  await page.waitForSelector('text=Nobody is logged in.')
  t.strictSame((await page.context().cookies(publicUrl)).map(({ name }) => name), ['device'])
})
