import { createRequire } from 'node:module'
import t, { type Test } from 'tap'
import type { AxeResults, RunOptions } from 'axe-core'
import type { Page } from 'playwright-core'
import { changeAddress, pendingChange, verifiedPerson } from '../email-change/changes.ts'
import { freePort } from '../support/free-port.ts'
import { allMailsOf, mailsOf } from '../support/inbox.ts'
import { present } from '../support/presence.ts'
import { inChromium, openChromium } from '../support/providers/chromium.ts'
import { PASSWORD, startService, type Settings } from '../support/service.ts'

const AXE = createRequire(import.meta.url).resolve('axe-core/axe.min.js')
const SIZES = [{ width: 320, height: 640 }, { width: 1280, height: 800 }]
const SCHEMES = ['light', 'dark'] as const
const NEW = 'a staple of nine words'

/** Finds fault with a page as it stands, in both sizes and schemes: by axe with its best practices, and by what is cut off. */
async function isAccessible (t: Test, page: Page, name: string) {
  await page.addScriptTag({ path: AXE })
  for (const size of SIZES) {
    await page.setViewportSize(size)
    for (const colorScheme of SCHEMES) {
      await page.emulateMedia({ colorScheme })
      const { violations } = await page.evaluate<AxeResults, RunOptions>(options => (globalThis as unknown as { axe: { run (options: RunOptions): Promise<AxeResults> } }).axe.run(options), { rules: { 'target-size': { enabled: true } } })
      t.strictSame(violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`), [], `${name}, ${size.width} wide, ${colorScheme}`)
    }
    t.ok(await page.evaluate<boolean>('document.documentElement.scrollWidth <= innerWidth'), `${name} fits into ${size.width}`)
  }
  if (process.env.SCREENSHOT) await page.screenshot({ path: `${process.env.SCREENSHOT}-${name.replaceAll(/\W+/g, '-')}.png` })
}

async function startPages (t: Test, settings: Settings = {}) {
  const port = await freePort()
  const service = await startService(t, { PUBLIC_URL: `http://localhost:${port}`, ...settings })
  await service.app.listen({ host: '127.0.0.1', port })
  const open = async (locale = 'en-GB') => (await openChromium(t, { bypassCSP: true, locale })).newPage()
  return { service, open, urlOf: (path: string, token?: string) => `http://localhost:${port}/account/${path}${token === undefined ? '' : `?token=${token}`}` }
}

t.test('the pages of mailed links are accessible in each of their states', { ...inChromium, timeout: 180_000 }, async t => {
  const { service, open, urlOf } = await startPages(t, { ACCOUNT_DELETION_GRACE: '7d' })
  const ada = await service.person()
  const [verification] = await allMailsOf(service, ada.email)
  const person = await verifiedPerson(service)
  await service.call('POST /auth/password/forgot', { json: { email: person.email } })
  const [reset] = await mailsOf(service, person.email)
  const pending = await pendingChange(service, await verifiedPerson(service))
  const { revertToken } = await changeAddress(service, await verifiedPerson(service))
  const leaving = await verifiedPerson(service)
  await service.call('POST /auth/me/delete', present(leaving))
  const restore = (await mailsOf(service, leaving.email)).find(({ token }) => token !== '')

  const pages = {
    verify: { token: verification?.token, wrong: { password: 'not the password' }, right: { password: PASSWORD } },
    reset: { token: reset?.token, wrong: { newPassword: 'password' }, right: { newPassword: NEW } },
    'email/confirm': { token: pending.token, wrong: { password: 'not the password' }, right: { password: PASSWORD } },
    'email/revert': { token: revertToken, wrong: undefined, right: {} },
    restore: { token: restore?.token, wrong: undefined, right: {} }
  }
  for (const [path, { token, wrong, right }] of Object.entries(pages)) {
    await t.test(path, async t => {
      const page = await open()
      const send = async (fields: Readonly<Record<string, string>>) => {
        for (const [name, value] of Object.entries(fields)) await page.fill(`[name=${name}]`, value)
        await page.click('button')
      }
      await page.goto(urlOf(path, token))
      t.equal(await page.locator('form').count(), 1)
      await isAccessible(t, page, `${path}: the form`)
      if (wrong !== undefined) {
        await send(wrong)
        t.match(await page.title(), /^Error: /)
        await isAccessible(t, page, `${path}: an objection`)
      }
      await send(right)
      t.equal(await page.locator('[role=status]').count(), 1)
      await isAccessible(t, page, `${path}: done`)
      await page.goto(urlOf(path, token))
      t.equal(await page.locator('[role=alert]').count(), 1)
      await isAccessible(t, page, `${path}: used already`)
    })
  }
})

t.test('so is the page that asks for a mail, and others in German', { ...inChromium, timeout: 120_000 }, async t => {
  const { service, open, urlOf } = await startPages(t)
  const german = await open('de-DE')
  await german.goto(urlOf('forgot'))
  t.equal(await german.getAttribute('html', 'lang'), 'de')
  await isAccessible(t, german, 'forgot: the form in German')
  await german.fill('[name=email]', 'ada@example.com')
  await german.click('button')
  t.equal(await german.locator('[role=status]').count(), 1)
  await isAccessible(t, german, 'forgot: done in German')

  const { email } = await service.person()
  const [mail] = await allMailsOf(service, email)
  await german.goto(urlOf('verify', mail?.token))
  await isAccessible(t, german, 'verify: the form in German')
})

t.test('and the page of a registration', { ...inChromium, timeout: 120_000 }, async t => {
  const { service, open, urlOf } = await startPages(t, { REQUIRE_VERIFIED_EMAIL: 'true' })
  await service.call('POST /auth/register', { json: { email: 'ada@example.com', password: PASSWORD } })
  const [mail] = await mailsOf(service, 'ada@example.com')
  const page = await open()
  await page.goto(urlOf('register', mail?.token))
  await isAccessible(t, page, 'register: the form')
  await page.fill('[name=password]', 'another password entirely')
  await page.click('button')
  await isAccessible(t, page, 'register: an objection')
  await page.fill('[name=password]', PASSWORD)
  await page.click('button')
  t.equal(await page.locator('[role=status]').count(), 1)
  await isAccessible(t, page, 'register: done')
})
