import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import t from 'tap'
import { freePort } from '../support/free-port.ts'
import { inChromium, openChromium } from '../support/providers/chromium.ts'
import { startWorld } from '../support/providers/world.ts'

t.test('a landing page that is rendered on a server, after a sign-in with COOKIE_SAMESITE=strict', inChromium, async t => {
  const port = await freePort()
  const publicUrl = `http://auth.shop.test:${port}`
  // It shows which cookies came along.
  const app = createServer((request, response) => {
    response.setHeader('content-type', 'text/html; charset=utf-8')
    const names = (request.headers.cookie ?? '').split('; ').map(pair => pair.split('=')[0]).sort()
    response.end(`<!doctype html><title>App</title><p id="cookies">${names.join(' ')}</p><a href="${publicUrl}/auth/providers/acme">Sign in</a>`)
  })
  await new Promise<void>(resolve => { app.listen(0, '127.0.0.1', resolve) })
  t.teardown(() => { app.closeAllConnections(); app.close() })
  const landing = `http://www.shop.test:${(app.address() as AddressInfo).port}/welcome`

  const { service, acme } = await startWorld(t, { PUBLIC_URL: publicUrl, ALLOWED_REDIRECTS: landing, COOKIE_SAMESITE: 'strict', COOKIE_DOMAIN: 'shop.test' })
  await service.app.listen({ host: '127.0.0.1', port })
  acme.accounts.set('ada', { email: 'ada@acme.example' })

  const page = await (await openChromium(t, { hosts: '*.shop.test' })).newPage()
  await page.goto(landing)
  t.equal(await page.textContent('#cookies'), '')
  await page.click('text=Sign in')
  await page.fill('[name=account]', 'ada')
  await Promise.all([page.waitForURL(landing), page.click('text=Continue')])
  t.equal(await page.textContent('#cookies'), 'access', 'has the cookie at once')
  await page.reload()
  t.equal(await page.textContent('#cookies'), 'access', 'and when it is loaded again')
})
