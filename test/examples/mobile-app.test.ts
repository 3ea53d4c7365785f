import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { freePort } from '../support/free-port.ts'
import { createBrowser } from '../support/providers/browser.ts'
import { agree } from '../support/providers/sign-in.ts'
import { APP_LINK, startWorld } from '../support/providers/world.ts'

t.test('mobile-app: opens the browser, takes the link, and holds tokens', async t => {
  const port = await freePort()
  const publicUrl = `http://127.0.0.1:${port}`
  const { service, google } = await startWorld(t, { PUBLIC_URL: publicUrl })
  await service.app.listen({ host: '127.0.0.1', port })
  google.accounts.set('ada', { email: 'ada@example.com', email_verified: true })

  const path = fileURLToPath(new URL('../../../examples/mobile-app/sign-in.js', import.meta.url))
  const app = spawn(process.execPath, [path, 'google'], { env: { PATH: process.env.PATH, AUTH_URL: publicUrl, REDIRECT_TO: APP_LINK }, stdio: ['pipe', 'pipe', 'inherit'] })
  t.teardown(() => app.kill())
  const lines = createInterface(app.stdout)[Symbol.asyncIterator]()
  const nextLine = async () => String((await lines.next()).value)

  const address = (await nextLine()).replace('Open ', '')
  const tab = createBrowser(service)
  const { location } = await tab.visit(address)
  const { location: link } = await tab.visit(await agree(tab, location ?? new URL(publicUrl), 'ada'), { site: 'cross-site' })
  t.match(await nextLine(), /paste/)
  app.stdin.write(`${link?.href}\n`)
  t.match(await nextLine(), /^Signed in as ada@example\.com for 600 seconds/)
  const [code] = await once(app, 'exit')
  t.equal(code, 0)
})
