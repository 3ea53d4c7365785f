import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'
import { freePort } from '../support/free-port.ts'
import { answerPage, hostileProxy } from '../support/hostile-proxy.ts'
import { createBrowser } from '../support/providers/browser.ts'
import { agree } from '../support/providers/sign-in.ts'
import { APP_LINK, startWorld, type World } from '../support/providers/world.ts'

t.test('mobile-app: opens the browser, takes the link, and holds tokens', async t => {
  const { world, publicUrl } = await start(t)
  const lastLine = await run(t, world, 'sign-in.js', { AUTH_URL: publicUrl, REDIRECT_TO: APP_LINK })
  t.match(lastLine, /^Signed in as ada@example\.com for 600 seconds/)
})

t.test('mobile-app: links an account at a provider to the one that it is logged in to', async t => {
  const { world, publicUrl } = await start(t)
  const { accessToken, refreshToken, user } = await world.service.person()
  const lastLine = await run(t, world, 'link.js', { AUTH_URL: publicUrl, REDIRECT_TO: APP_LINK, ACCESS_TOKEN: accessToken, REFRESH_TOKEN: refreshToken })
  t.equal(lastLine, 'Linked with google')
  t.strictSame(await world.service.sql('SELECT user_id::text AS owner FROM identities'), [{ owner: user.id }])
})

t.test('mobile-app: keeps the code and its verifier from where a proxy redirects', async t => {
  const strayed: string[] = []
  const elsewhere = createServer(({ url = '' }, response) => { strayed.push(url); response.end('{}') }).listen(0, '127.0.0.1')
  await once(elsewhere, 'listening')
  t.teardown(() => { elsewhere.closeAllConnections(); elsewhere.close() })
  const port = await freePort()
  const publicUrl = `http://127.0.0.1:${port}`
  const world = await startWorld(t, { PUBLIC_URL: publicUrl })
  world.google.accounts.set('ada', { email: 'ada@example.com', email_verified: true })
  const proxy = await hostileProxy(t, await world.service.listen(), { port })
  proxy.meddle('/auth/providers/exchange', answerPage(307, { location: `http://127.0.0.1:${(elsewhere.address() as AddressInfo).port}/` }))
  await t.rejects(run(t, world, 'sign-in.js', { AUTH_URL: publicUrl, REDIRECT_TO: APP_LINK }), { message: /exit code 1/ })
  t.equal(proxy.requests('/auth/providers/exchange'), 1)
  t.strictSame(strayed, [])
})

async function start (t: Test): Promise<{ world: World, publicUrl: string }> {
  const port = await freePort()
  const publicUrl = `http://127.0.0.1:${port}`
  const world = await startWorld(t, { PUBLIC_URL: publicUrl })
  await world.service.app.listen({ host: '127.0.0.1', port })
  world.google.accounts.set('ada', { email: 'ada@example.com', email_verified: true })
  return { world, publicUrl }
}

/** Runs an example, and is the browser that it opens. @returns its last line @throws unless it succeeds */
async function run (t: Test, { service }: World, file: string, environment: Readonly<Record<string, string>>): Promise<string> {
  const path = fileURLToPath(new URL(`../../../examples/mobile-app/${file}`, import.meta.url))
  const app = spawn(process.execPath, [path, 'google'], { env: { PATH: process.env.PATH, ...environment }, stdio: ['pipe', 'pipe', 'inherit'] })
  t.teardown(() => app.kill())
  const exited = once(app, 'exit')
  const lines = createInterface(app.stdout)[Symbol.asyncIterator]()
  const nextLine = async () => String((await lines.next()).value)

  const address = (await nextLine()).replace('Open ', '')
  const tab = createBrowser(service)
  const { location } = await tab.visit(address)
  const { location: link } = await tab.visit(await agree(tab, location ?? new URL(address), 'ada'), { site: 'cross-site' })
  t.match(await nextLine(), /paste/)
  app.stdin.write(`${link?.href}\n`)
  const lastLine = await nextLine()
  const [code] = await exited
  if (code !== 0) throw new Error(`${file} ended with exit code ${code}`)
  return lastLine
}
