import { setTimeout as pause } from 'node:timers/promises'
import t, { type Test } from 'tap'
import type { Reply } from '../support/providers/provider-server.ts'
import { agree, startFlow, finishFlow, cookiesOf, signIn } from '../support/providers/sign-in.ts'
import { APP, startWorld, type World } from '../support/providers/world.ts'

const HUGE = 'x'.repeat(3 * 1024 * 1024)

/** The endpoints of each provider whose responses decide. */
const ENDPOINTS = [
  ['google', '/token'], ['acme', '/token'], ['acme', '/me'],
  ['github', '/login/oauth/access_token'], ['github', '/api/v3/user'], ['github', '/api/v3/user/emails'],
  ['facebook', '/oauth/access_token'], ['facebook', '/me']
] as const

type Endpoint = typeof ENDPOINTS[number]

const asJson = (body: unknown) => (reply: Reply): Reply => ({ ...reply, status: 200, headers: { 'content-type': 'application/json' }, body: typeof body === 'string' ? body : JSON.stringify(body) })

function populate ({ google, github, facebook, acme }: World): void {
  google.accounts.set('ada', { email: 'ada@example.com', email_verified: true })
  acme.accounts.set('ada', { email: 'ada@acme.example' })
  github.accounts.set('ada', { id: 7, emails: [{ email: 'ada@github.example', primary: true, verified: true }] })
  facebook.accounts.set('ada', { name: 'Ada', email: 'ada@facebook.example' })
}

t.test('a provider that fails', async t => {
  const world = await startWorld(t)
  const { service, browser } = world
  populate(world)
  for (const provider of ['google', 'acme', 'github', 'facebook']) t.equal((await signIn(browser(), provider, { as: 'ada' })).error, null, `${provider} works at first`)

  /** Signs in while the response of an endpoint is changed, and asserts that there is no session. */
  async function errorWhile (t: Test, [provider, suffix]: Endpoint, change: (reply: Reply) => Reply | Promise<Reply>): Promise<string | null> {
    const paths = [...new Set(world[provider].asked.map(({ path }) => path).filter(path => path.endsWith(suffix)))]
    t.ok(paths.length > 0, `${provider} ${suffix} is asked at all`)
    for (const path of paths) world[provider].alter(t, path, change)
    const somebody = browser()
    const { at, error, page } = await signIn(somebody, provider, { as: 'ada' })
    t.strictSame({ at, status: page.status }, { at: APP, status: 302 })
    t.strictSame(Object.keys(cookiesOf(somebody)).filter(name => /access|session|refresh/.test(name)), [])
    return error
  }

  for (const endpoint of ENDPOINTS) {
    const name = endpoint.join(' ')
    t.test(`${name}: an error of the server is provider_unavailable`, async t => {
      for (const status of [500, 502, 503]) {
        await t.test(String(status), async t => t.equal(await errorWhile(t, endpoint, reply => ({ ...reply, status, headers: { 'content-type': 'text/html' }, body: '<h1>Bad gateway</h1>' })), 'provider_unavailable'))
      }
    })

    t.test(`${name}: an invalid response is provider_error`, async t => {
      const answers: Record<string, unknown> = {
        'an error with 200': { error: 'bad_verification_code', error_description: 'The code passed is incorrect or expired.' },
        'an error of the Graph API with 200': { error: { message: 'no', type: 'OAuthException', code: 190 } },
        'an empty object': {},
        'an empty list': [],
        null: 'null',
        'a number': '7',
        'half an answer': '{"access_token":"x"',
        'no JSON': '<html>',
        nothing: ''
      }
      for (const [what, answer] of Object.entries(answers)) {
        // From GitHub an empty list means that there is no address: another error.
        if (endpoint[1].endsWith('/emails') && what === 'an empty list') continue
        await t.test(what, async t => t.equal(await errorWhile(t, endpoint, asJson(answer)), 'provider_error'))
      }
    })

    t.test(`${name}: an oversized response is refused`, async t => {
      t.match(await errorWhile(t, endpoint, reply => ({ ...reply, body: reply.body.replace(/^([{[])/, `$1${reply.body.startsWith('{') ? `"filler":"${HUGE}",` : `{"email":"${HUGE}"},`}`) })), /^provider_(error|unavailable)$/)
    })

    t.test(`${name}: a redirect is not followed`, async t => {
      const elsewhere = { hits: 0 }
      world.github.replace(t, '/elsewhere', (_request, response) => {
        elsewhere.hits++
        response.end('{}')
      })
      for (const status of [301, 302, 307, 308]) {
        await t.test(String(status), async t => {
          t.match(await errorWhile(t, endpoint, reply => ({ ...reply, status, headers: { location: `${world.github.origin}/elsewhere` }, body: '' })), /^provider_(error|unavailable)$/)
        })
      }
      t.equal(elsewhere.hits, 0)
    })
  }

  t.test('an account without an id is refused', async t => {
    for (const id of [undefined, null, '', {}, [], true]) {
      await t.test(`GitHub: ${JSON.stringify(id)}`, async t => t.equal(await errorWhile(t, ['github', '/api/v3/user'], reply => asJson({ ...JSON.parse(reply.body) as object, id })(reply)), 'provider_error'))
      await t.test(`Facebook: ${JSON.stringify(id)}`, async t => t.equal(await errorWhile(t, ['facebook', '/me'], reply => asJson({ ...JSON.parse(reply.body) as object, id })(reply)), 'provider_error'))
    }
  })

  t.test('by not responding times out after five seconds', async t => {
    const answers = await Promise.all(ENDPOINTS.map(async endpoint => {
      const somebody = browser()
      const callback = await agree(somebody, await startFlow(somebody, endpoint[0]), 'ada')
      return { endpoint, somebody, callback }
    }))
    const over = new AbortController()
    t.teardown(() => over.abort())
    for (const [provider, suffix] of ENDPOINTS) {
      for (const path of new Set(world[provider].asked.map(({ path }) => path).filter(path => path.endsWith(suffix)))) {
        world[provider].alter(t, path, async reply => {
          await pause(20_000, undefined, { signal: over.signal }).catch(() => {})
          return reply
        })
      }
    }
    await Promise.all(answers.map(async ({ endpoint, somebody, callback }) => {
      const began = performance.now()
      const { at, error } = await finishFlow(somebody, callback)
      const seconds = (performance.now() - began) / 1000
      t.strictSame({ at, error }, { at: APP, error: 'provider_unavailable' }, endpoint.join(' '))
      t.ok(seconds > 4 && seconds < 8, `${endpoint.join(' ')}: ${seconds.toFixed(1)} s`)
    }))
  })

  t.test('by responding a byte at a time times out as well', async t => {
    world.github.replace(t, '/login/oauth/access_token', (_request, response) => {
      response.setHeader('content-type', 'application/json')
      const timer = setInterval(() => response.write(' '), 200)
      response.on('close', () => clearInterval(timer))
    })
    const began = performance.now()
    t.match(await signIn(browser(), 'github', { as: 'ada' }), { at: APP, error: 'provider_unavailable' })
    t.ok(performance.now() - began < 8000)
  })

  t.test('by being down is provider_unavailable, logged with its cause, and works again afterwards', async t => {
    for (const provider of ['google', 'github', 'facebook', 'acme'] as const) {
      const somebody = browser()
      const callback = await agree(somebody, await startFlow(somebody, provider), 'ada')
      await t.test(provider, async t => {
        await world[provider].takeDown(t)
        const lines = service.log.length
        t.match(await finishFlow(somebody, callback), { at: APP, error: 'provider_unavailable' })
        t.ok(service.log.slice(lines).some(({ level, err }) => level >= 40 && /ECONNREFUSED|connect|fetch failed/i.test(JSON.stringify(err))), 'with the cause')
      })
      t.match(await signIn(browser(), provider, { as: 'ada' }), { at: APP, error: null }, `${provider} is back`)
    }
  })

  t.test('leaves no code, token or state in the log', async t => {
    const text = service.logText()
    t.notMatch(text, /gho_|EAA[0-9a-f]{20}|access_token=|[?&]code=|[?&]state=|code_verifier/)
  })
})
