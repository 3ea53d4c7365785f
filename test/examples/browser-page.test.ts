import { access } from 'node:fs/promises'
import { chromium } from 'playwright-core'
import t from 'tap'
import { generateSecret } from '../../src/config/generated-secrets.ts'
import { registerClient } from '../support/clients.ts'
import { freePort } from '../support/free-port.ts'
import { PASSWORD, startService } from '../support/service.ts'
import { until } from '../support/until.ts'
import { startExample } from './example.ts'

const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium'
const withBrowser = await access(CHROMIUM).then(() => ({}), () => ({ skip: 'needs chromium: set CHROMIUM to it' }))

t.test('browser-page', withBrowser, async t => {
  const [port, pagePort, jwtSecret] = [await freePort(), await freePort(), generateSecret()]
  const [countersign, page] = [`http://localhost:${port}`, `http://localhost:${pagePort}`]
  const service = await startService(t, { JWT_SECRET: jwtSecret, PUBLIC_URL: countersign, ALLOWED_ORIGINS: page })
  await service.app.listen({ host: 'localhost', port })
  const { id, secret } = await registerClient(service.database, 'revocations:read')
  await startExample(t, 'browser-page/server.js', { PORT: String(pagePort), COUNTERSIGN_URL: countersign, JWT_SECRET: jwtSecret, CLIENT_ID: id, CLIENT_SECRET: secret })

  const browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--headless', '--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'] })
  t.teardown(() => browser.close())
  const context = await browser.newContext()
  const tab = await context.newPage()
  const complaints: string[] = []
  tab.on('pageerror', error => complaints.push(error.message))
  const email = 'ada@example.com'
  const greeting = () => tab.getByText(`Hello, ${email}`)
  const button = (name: string) => tab.getByRole('button', { name, exact: true })
  const cookies = async () => (await context.cookies()).map(({ name, httpOnly, sameSite }) => ({ name, httpOnly, sameSite }))

  async function submit (password: string, how: string) {
    await tab.getByLabel('E-mail').fill(email)
    await tab.getByLabel('Password').fill(password)
    await button(how).click()
  }

  t.test('lets a visitor register, and is logged in', async t => {
    await tab.goto(page)
    await submit(PASSWORD, 'Register')
    await greeting().waitFor()
    t.equal(await tab.evaluate('document.cookie'), '', 'no cookie is in reach of a script')
    t.match(await cookies(), [{ name: 'access', httpOnly: true, sameSite: 'Lax' }, { name: 'refresh', httpOnly: true, sameSite: 'Lax' }])
  })

  t.test('stays so when it is loaded again, and when the access cookie has expired', async t => {
    await tab.reload()
    await greeting().waitFor()
    await context.clearCookies({ name: 'access' })
    await tab.reload()
    await greeting().waitFor()
    t.ok((await cookies()).some(({ name }) => name === 'access'), 'it was refreshed')
  })

  t.test('forgets nobody who has logged out: the cookie is dead too', async t => {
    const kept = (await context.cookies()).filter(({ name }) => name === 'access')
    await button('Log out').click()
    await button('Log in').waitFor()
    t.strictSame((await cookies()).map(({ name }) => name), ['device'], 'and that opens nothing')
    await context.addCookies(kept)
    await until(async () => await tab.evaluate("fetch('/api/greeting').then(({ status }) => status)") === 401)
    await context.clearCookies()
  })

  t.test('says what is wrong, and logs in with what is right', async t => {
    await tab.reload()
    await submit('not the password', 'Log in')
    await tab.getByText('Wrong e-mail address or password').waitFor()
    await submit(PASSWORD, 'Log in')
    await greeting().waitFor()
    t.strictSame(complaints, [])
  })
})
