import type { Page } from 'playwright-core'
import t, { type Test } from 'tap'
import { generateSecret } from '../../src/config/generated-secrets.ts'
import { freePort } from '../support/free-port.ts'
import { inChromium, openChromium } from '../support/providers/chromium.ts'
import { PASSWORD, startService, type Settings } from '../support/service.ts'
import { startTlsFront } from '../support/tls-front.ts'

const HOST = 'auth.shop.test'
const EMAIL = 'ada@example.com'
const SECRETS = { COUNTERSIGN_SECRET: generateSecret(), JWT_SECRET: generateSecret(), JWT_ISSUER: 'https://auth.shop.test' }

/** The service as it is started again with other settings: cookies do not tell ports apart. @returns its origin */
async function startAgain (t: Test, scheme: 'http' | 'https', settings: Settings = {}): Promise<string> {
  const port = await freePort()
  const publicUrl = `${scheme}://${HOST}:${port}`
  const service = await startService(t, { ...SECRETS, PUBLIC_URL: publicUrl, ...settings })
  await service.call('POST /auth/register', { json: { email: EMAIL, password: PASSWORD } })
  if (scheme === 'https') await startTlsFront(t, { port, to: await service.listen(), host: HOST })
  else await service.app.listen({ host: '127.0.0.1', port })
  return publicUrl
}

/** What a page of the service gets for a request with cookies: its status. */
async function ask (page: Page, origin: string, method: string, path: string, json?: object): Promise<number> {
  if (!page.url().startsWith(origin)) await page.goto(`${origin}/health/live`)
  return page.evaluate(async ([method, path, body]) => {
    const { status } = await fetch(path ?? '', { method: method ?? '', ...body !== undefined && { body, headers: { 'content-type': 'application/json' } } })
    return status
  }, [method, path, json === undefined ? undefined : JSON.stringify(json)])
}

const logIn = (page: Page, origin: string) => ask(page, origin, 'POST', '/auth/login', { email: EMAIL, password: PASSWORD, deliver: 'cookie' })
const me = (page: Page, origin: string) => ask(page, origin, 'GET', '/auth/me')
const logOut = (page: Page, origin: string) => ask(page, origin, 'POST', '/auth/logout')

async function cookiesOf (page: Page): Promise<string[]> {
  return (await page.context().cookies()).map(({ name, domain }) => `${name} ${domain}`).filter(cookie => !cookie.includes('device')).sort()
}

t.test('a browser with cookies of an earlier configuration of the service', inChromium, async t => {
  const [plain, shared, deeper, secure] = [
    await startAgain(t, 'http'),
    await startAgain(t, 'http', { COOKIE_DOMAIN: 'shop.test' }),
    await startAgain(t, 'http', { COOKIE_DOMAIN: HOST }),
    await startAgain(t, 'https')
  ]

  async function open (t: Test): Promise<Page> {
    return (await openChromium(t, { hosts: '*.shop.test' })).newPage()
  }

  for (const [what, before, after] of [['set', plain, shared], ['changed', shared, deeper], ['removed', shared, plain]] as const) {
    t.test(`COOKIE_DOMAIN was ${what}: whoever logs in again is logged in`, async t => {
      const page = await open(t)
      t.equal(await logIn(page, before), 200)
      t.equal(await logIn(page, after), 200)
      t.equal(await me(page, after), 200)
      t.equal((await cookiesOf(page)).filter(cookie => cookie.startsWith('access')).length, 1)
      t.equal(await logOut(page, after), 204)
      t.strictSame(await cookiesOf(page), [])
      t.equal(await me(page, after), 401)
    })
  }

  t.test('two access cookies at once: the first refusal clears both, and the refresh goes on', async t => {
    const page = await open(t)
    await logIn(page, plain)
    const [access] = (await page.context().cookies()).filter(({ name }) => name === 'access')
    t.ok(access)
    if (access === undefined) return
    await page.context().addCookies([{ ...access, domain: '.shop.test' }])
    t.equal((await cookiesOf(page)).length, 3)
    t.equal(await me(page, plain), 401)
    t.strictSame(await cookiesOf(page), [`refresh ${HOST}`])
    t.equal(await ask(page, plain, 'POST', '/auth/refresh'), 200)
    t.equal(await me(page, plain), 200)
  })

  t.test('two access cookies at once: logging out is possible, and ends the session', async t => {
    const page = await open(t)
    await logIn(page, plain)
    const [access] = (await page.context().cookies()).filter(({ name }) => name === 'access')
    const kept = await page.context().cookies()
    if (access !== undefined) await page.context().addCookies([{ ...access, domain: '.shop.test' }])
    t.equal(await logOut(page, plain), 204)
    t.strictSame(await cookiesOf(page), [])
    await page.context().addCookies(kept)
    t.equal(await me(page, plain), 401)
    t.equal(await ask(page, plain, 'POST', '/auth/refresh'), 401)
  })

  for (const before of [plain, shared]) {
    t.test(`http became https, ${before === shared ? 'with' : 'without'} COOKIE_DOMAIN`, async t => {
      const page = await open(t)
      t.equal(await logIn(page, before), 200)
      t.equal(await logIn(page, secure), 200)
      t.strictSame(await cookiesOf(page), [`__Host-access ${HOST}`, `__Host-refresh ${HOST}`])
      t.equal(await me(page, secure), 200)
      t.equal(await logOut(page, secure), 204)
      t.strictSame(await cookiesOf(page), [])
    })
  }
})
