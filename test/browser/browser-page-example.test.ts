import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Page, Route } from 'playwright-core'
import t from 'tap'
import { generateSecret } from '../../src/config/generated-secrets.ts'
import { registerClient } from '../support/clients.ts'
import { freePort } from '../support/free-port.ts'
import { answerJson, answerPage, hang, hold, hostileProxy, repeat, truncate, type Meddling } from '../support/hostile-proxy.ts'
import { inChromium, openChromium } from '../support/providers/chromium.ts'
import { PASSWORD, startService } from '../support/service.ts'
import { until } from '../support/until.ts'
import { startExample } from '../examples/example.ts'

t.test('browser-page', inChromium, async t => {
  const [port, pagePort, jwtSecret] = [await freePort(), await freePort(), generateSecret()]
  const [countersign, page] = [`http://localhost:${port}`, `http://localhost:${pagePort}`]
  const service = await startService(t, { JWT_SECRET: jwtSecret, PUBLIC_URL: countersign, ALLOWED_ORIGINS: page })
  const proxy = await hostileProxy(t, await service.listen(), { host: 'localhost', port })
  const { id, secret } = await registerClient(service.database, 'revocations:read')
  await startExample(t, 'browser-page/server.js', { PORT: String(pagePort), COUNTERSIGN_URL: countersign, JWT_SECRET: jwtSecret, CLIENT_ID: id, CLIENT_SECRET: secret })

  const context = await openChromium(t)
  const [ada, bob] = ['ada@example.com', 'bob@example.com']
  const complaints: string[] = []
  const tab = await openTab()

  async function openTab () {
    const tab = await context.newPage()
    tab.on('pageerror', error => complaints.push(error.message))
    // What lasts seconds is over in a moment. An answer is only waited for less long where none comes.
    await tab.addInitScript(`
      const [timeout, sleep] = [AbortSignal.timeout, setTimeout]
      AbortSignal.timeout = ms => timeout.call(AbortSignal, 'impatient' in sessionStorage ? ms / 4 : ms)
      window.setTimeout = (then, ms, ...values) => sleep(then, ms / 50, ...values)`)
    return tab
  }

  const greeting = (email = ada, on = tab) => on.getByText(`Hello, ${email}`)
  const button = (name: string, on = tab) => on.getByRole('button', { name, exact: true })
  const cookies = async () => (await context.cookies()).map(({ name, httpOnly, sameSite }) => ({ name, httpOnly, sameSite }))
  const expireAccess = () => context.clearCookies({ name: 'access' })
  const refreshes = () => proxy.requests('/auth/refresh')
  const liveSessions = async () => (await service.sql('SELECT FROM sessions WHERE ended_at IS NULL')).length
  const lockIsAwaited = (on: Page) => until(() => on.evaluate('navigator.locks.query().then(({ pending }) => pending.length > 0)'))

  async function submit (password: string, how: string, { email = ada, on = tab } = {}) {
    await on.getByLabel('E-mail').fill(email)
    await on.getByLabel('Password').fill(password)
    await button(how, on).click()
  }

  /** Loads the page, which asks to be refreshed and says that nobody answers as they should. */
  async function reloadInVain () {
    await tab.evaluate("sessionStorage.impatient = 'yes'")
    await tab.reload()
    await tab.getByText('could not be reached').waitFor()
    await tab.evaluate('delete sessionStorage.impatient')
  }

  /** Logs the visitor in, by requests of the page. */
  async function logIn (email = ada) {
    await context.clearCookies()
    await tab.goto(page)
    await submit(PASSWORD, 'Log in', { email })
    await greeting(email).waitFor()
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
    await expireAccess()
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
    t.equal(await tab.getByRole('alert').textContent(), '')
  })

  t.test('two tabs', async t => {
    t.equal((await service.call('POST /auth/register', { json: { email: bob, password: PASSWORD } })).status, 201)
    const other = await openTab()
    await other.goto(page)
    await greeting(ada, other).waitFor()

    t.test('refresh one after the other', async t => {
      const [before, { meddling, reached, release }] = [refreshes(), hold()]
      await expireAccess()
      proxy.meddle('/auth/refresh', meddling)
      const loaded = [tab.reload(), other.reload()]
      await reached
      await Promise.all(loaded)
      await lockIsAwaited(tab)
      t.equal(refreshes() - before, 1)
      release()
      await Promise.all([greeting().waitFor(), greeting(ada, other).waitFor()])
    })

    t.test('show the same visitor', async t => {
      await button('Log out').click()
      await button('Log in', other).waitFor()
      await submit(PASSWORD, 'Log in', { email: bob, on: other })
      await greeting(bob).waitFor()
      t.ok(await greeting(bob, other).isVisible())
    })

    t.test('keep the login of one from the late answer to a refresh of the other', async t => {
      await logIn(ada)
      await greeting(ada, other).waitFor()
      const { meddling, reached, release } = hold()
      proxy.meddle('/auth/refresh', meddling)
      await expireAccess()
      await other.evaluate('document.querySelector("#login").hidden = false')
      await tab.reload()
      await reached
      const logins = proxy.requests('/auth/login')
      await submit(PASSWORD, 'Log in', { email: bob, on: other })
      await Promise.race([lockIsAwaited(other), greeting(bob, other).waitFor()])
      t.equal(proxy.requests('/auth/login') - logins, 0, 'it waits')
      release()
      await greeting(bob, other).waitFor()
      await tab.reload()
      await greeting(bob).waitFor()
      await other.reload()
      await greeting(bob, other).waitFor()
      t.equal(await greeting(ada).count(), 0)
    })

    t.test('log out for good, though a refresh of the other is answered late', async t => {
      await logIn(ada)
      await other.reload()
      await greeting(ada, other).waitFor()
      const live = await liveSessions()
      const { meddling, reached, release } = hold()
      proxy.meddle('/auth/refresh', meddling)
      await expireAccess()
      await tab.reload()
      await reached
      await button('Log out', other).click()
      await Promise.race([lockIsAwaited(other), button('Log in', other).waitFor()])
      release()
      await button('Log in', other).waitFor()
      await button('Log in').waitFor()
      t.strictSame((await cookies()).map(({ name }) => name), ['device'])
      t.equal(await liveSessions(), live - 1)
      await other.close()
    })
  })

  t.test('an answer that is asked for before a login is not shown after it', async t => {
    await logIn(ada)
    const late = await nextGreeting()
    const reload = tab.reload()
    await late.reached
    await reload
    await tab.evaluate('document.querySelector("#login").hidden = false')
    await submit(PASSWORD, 'Log in', { email: bob })
    await greeting(bob).waitFor()
    await late.release()
    await tab.evaluate('new Promise(resolve => setTimeout(resolve, 0))')
    t.strictSame([await greeting(bob).count(), await greeting(ada).count()], [1, 0])
  })

  t.test('requests whose refusals come one after the other refresh once', async t => {
    await logIn(ada)
    await expireAccess()
    const before = refreshes()
    const statuses = await tab.evaluate(`(async () => {
      const { fetchAsUser } = await import('/session.js')
      const [actual, held] = [fetch, []]
      window.fetch = async (...request) => {
        const answer = await actual(...request)
        if (request[0] === '/api/greeting' && held.length < 12) await new Promise(release => held.push(release))
        return answer
      }
      const calls = new Map(Array.from({ length: 12 }, (_, index) => [index, fetchAsUser('/api/greeting').then(({ status }) => ({ index, status }))]))
      while (held.length < 12) await new Promise(resolve => setTimeout(resolve, 500))
      const statuses = []
      for (const release of held) {
        release()
        const { index, status } = await Promise.race(calls.values())
        calls.delete(index)
        statuses.push(status)
      }
      return statuses
    })()`)
    t.strictSame(statuses, Array.from({ length: 12 }, () => 200))
    t.equal(refreshes() - before, 1)
  })

  t.test('a lost answer logs nobody out, however late the visitor comes back', async t => {
    await logIn(ada)
    await expireAccess()
    // Not by closing the connection: browsers send the request again by themselves then.
    proxy.meddle('/auth/refresh', hang)
    await reloadInVain()
    await service.sql("UPDATE sessions SET rotated_at = rotated_at - interval '5 hours'")
    await tab.reload()
    await greeting().waitFor()
    t.equal(await button('Log in').isVisible(), false)
  })

  t.test('something else answers a refresh', async t => {
    let strayed = 0
    const elsewhere = createServer((_request, response) => {
      strayed++
      response.writeHead(200, { 'access-control-allow-origin': page, 'access-control-allow-credentials': 'true', 'access-control-allow-headers': 'idempotency-key, content-type' }).end('{}')
    }).listen(0, '127.0.0.1')
    await once(elsewhere, 'listening')
    t.teardown(() => { elsewhere.closeAllConnections(); elsewhere.close() })

    // Without these headers no script would see the answer.
    const cors = { 'access-control-allow-origin': page, 'access-control-allow-credentials': 'true' }
    const cases: Record<string, Meddling> = {
      'a page with 200': answerPage(200, cors),
      'a page with 401': answerPage(401, cors),
      'a page with 401 of another origin': answerPage(401),
      'JSON of another form with 200': answerJson(200, {}, cors),
      'JSON of another form with 401': answerJson(401, { error: 'unauthorized' }, cors),
      'half of the JSON': truncate,
      'a redirect elsewhere': answerPage(307, { ...cors, location: `http://127.0.0.1:${(elsewhere.address() as AddressInfo).port}/` }),
      'nobody, ever': hang
    }
    for (const [name, meddling] of Object.entries(cases)) {
      t.test(`${name}: the page says so, and goes on when it is loaded again`, async t => {
        await logIn(ada)
        await expireAccess()
        proxy.meddle('/auth/refresh', meddling)
        await reloadInVain()
        t.equal(await button('Log in').isVisible(), false, 'nobody is asked to log in')
        await tab.reload()
        await greeting().waitFor()
        t.equal(strayed, 0)
      })
    }

    t.test('the service, asked twice: nobody notices', async t => {
      await logIn(ada)
      await expireAccess()
      proxy.meddle('/auth/refresh', repeat)
      await tab.reload()
      await greeting().waitFor()
      await expireAccess()
      await tab.reload()
      await greeting().waitFor()
      t.equal(await button('Log in').isVisible(), false)
    })
  })

  t.test('a 401 that no refresh mends', async t => {
    const refuse = (route: Route) => route.fulfill({ status: 401, headers: { 'www-authenticate': 'Bearer error="invalid_token"' }, json: { code: 'invalid_token' } })

    t.test('is told after one refresh', async t => {
      await logIn(ada)
      const before = refreshes()
      await tab.route('**/api/greeting', refuse)
      await tab.reload()
      await tab.getByText('That did not work').waitFor()
      t.equal(refreshes() - before, 1)
      await tab.unroute('**/api/greeting')
    })

    t.test('passes, where the clock of the page\'s server was a little behind', async t => {
      await logIn(ada)
      const before = refreshes()
      await tab.route('**/api/greeting', refuse, { times: 2 })
      await tab.reload()
      await greeting().waitFor()
      t.equal(refreshes() - before, 1)
    })

    t.test('of a proxy asks nobody to log in', async t => {
      await logIn(ada)
      const before = refreshes()
      await tab.route('**/api/greeting', route => route.fulfill({ status: 401, contentType: 'text/html', body: '<h1>Welcome</h1>' }), { times: 1 })
      await tab.reload()
      await tab.getByText('That did not work').waitFor()
      t.strictSame([await button('Log in').isVisible(), refreshes() - before], [false, 0])
    })
  })

  t.test('no script has failed', async t => {
    t.strictSame(complaints, [])
  })

  /** Holds the answer to one request of the page back. */
  async function nextGreeting () {
    let arrive = () => {}
    let go = () => {}
    let finish = () => {}
    const reached = new Promise<void>(resolve => { arrive = resolve })
    const released = new Promise<void>(resolve => { go = resolve })
    const finished = new Promise<void>(resolve => { finish = resolve })
    await tab.route('**/api/greeting', async route => {
      const response = await route.fetch()
      arrive()
      await released
      await route.fulfill({ response })
      finish()
    }, { times: 1 })
    return { reached, release: async () => { go(); await finished } }
  }
})
