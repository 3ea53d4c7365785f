import t, { type Test } from 'tap'
import type { Browser } from '../../support/providers/browser.ts'
import { cookiesOf, signIn } from '../../support/providers/sign-in.ts'
import { startWorld } from '../../support/providers/world.ts'
import { isProblem } from '../../support/problem.ts'

interface ProviderToken { accessToken: string, expiresAt: string | null, scopes?: string[], code?: string }
interface Identities { items: Array<{ id: string, provider: string }> }

const KEEPING = { OIDC_ACME_KEEP_TOKENS: 'true', GOOGLE_KEEP_TOKENS: 'true', GITHUB_KEEP_TOKENS: 'true' }

t.test("a provider's tokens, if they are stored", async t => {
  const world = await startWorld(t, KEEPING)
  const { service, acme, github, browser } = world
  let count = 0

  /** A new user, signed in with `acme`. */
  async function signedIn (): Promise<{ somebody: Browser, target: string, id: string }> {
    const subject = `subject-${++count}`
    acme.accounts.set(subject, { email: `${subject}@acme.example` })
    const somebody = browser()
    t.match(await signIn(somebody, 'acme', { as: subject }), { error: null })
    const { body } = await service.call<Identities>('GET /auth/identities', { cookies: cookiesOf(somebody) })
    const id = body.items[0]?.id ?? ''
    return { somebody, id, target: `GET /auth/identities/${id}/token` }
  }
  const ask = (somebody: Browser, target: string) => service.call<ProviderToken>(target, { cookies: cookiesOf(somebody) })

  /** Whether the provider accepts the token, and for which user. */
  const ownerAt = async (token: string) => {
    const response = await fetch(`${acme.origin}/me`, { headers: { authorization: `Bearer ${token}` } })
    return response.ok ? (await response.json() as { sub: string }).sub : undefined
  }
  const refreshes = () => acme.asked.filter(({ path }) => path === '/token').length

  t.test('are given to their owner, valid', async t => {
    const { somebody, target } = await signedIn()
    const { status, body, headers } = await ask(somebody, target)
    t.equal(status, 200)
    t.equal(await ownerAt(body.accessToken), `subject-${count}`)
    t.match(body.expiresAt, /^\d{4}-.*Z$/)
    t.equal(headers['cache-control'], 'no-store')
    t.notOk('refreshToken' in body, 'and never the refresh token')
  })

  t.test('are not refreshed before they are stale', async t => {
    const { somebody, target } = await signedIn()
    const before = refreshes()
    const tokens = [await ask(somebody, target), await ask(somebody, target)].map(({ body }) => body.accessToken)
    t.equal(tokens[0], tokens[1])
    t.equal(refreshes(), before)
  })

  t.test('that a new sign-in stores while the provider refuses to refresh the old ones are given instead', async t => {
    const { somebody, target, id } = await signedIn()
    const subject = `subject-${count}`
    await service.sql('UPDATE identities SET token_expires_at = now() WHERE id = $1::uuid', id)
    const held = service.hold('identities.release-refresh-lease')
    acme.revokeRefreshTokens()
    const answer = ask(somebody, target)
    await held.reached
    t.match(await signIn(browser(), 'acme', { as: subject }), { error: null })
    held.release()
    const { status, body } = await answer
    t.equal(status, 200)
    t.equal(await ownerAt(body.accessToken), subject)
  })

  t.test('are never given to anybody else, not even an admin', async t => {
    const [{ target }, { somebody: stranger }] = [await signedIn(), await signedIn()]
    isProblem(t, await service.call(target, { cookies: cookiesOf(stranger) }), 'not_found')
    isProblem(t, await service.call(target, { token: (await service.admin()).accessToken }), 'not_found')
    isProblem(t, await service.call(target), 'unauthenticated')
    isProblem(t, await service.call('GET /auth/identities/0198c5a4-6f5e-7a6b-9d3f-2f6a3b1c4d5e/token', { cookies: cookiesOf(stranger) }), 'not_found')
  })

  t.test('are stored encrypted, and are in no log', async t => {
    const { somebody, target, id } = await signedIn()
    const { body: { accessToken } } = await ask(somebody, target)
    const rows = JSON.stringify(await service.sql('SELECT to_jsonb(identities) AS row FROM identities WHERE id = $1::uuid', id))
    for (const form of [accessToken, Buffer.from(accessToken).toString('hex'), Buffer.from(accessToken).toString('base64')]) t.notOk(rows.includes(form))
    t.notOk(service.logText().includes(accessToken))
    for (const listing of ['GET /auth/identities', 'GET /auth/me']) t.notOk((await service.call(listing, { cookies: cookiesOf(somebody) })).text.includes(accessToken), listing)
  })

  t.test('can be decrypted only for their own identity', async t => {
    const [one, two] = [await signedIn(), await signedIn()]
    for (const column of ['access_token', 'refresh_token']) await service.sql(`UPDATE identities SET ${column} = (SELECT ${column} FROM identities WHERE id = $1::uuid) WHERE id = $2::uuid`, one.id, two.id)
    const { status, body } = await ask(two.somebody, two.target)
    t.not(status, 200, 'a row moved over another by hand opens nothing')
    t.notOk(body.accessToken)
  })

  t.test('are refreshed when they are stale, and the rotated refresh token is stored', async t => {
    acme.accessTokenLife = 1
    const { somebody, target } = await signedIn()
    t.teardown(() => { acme.accessTokenLife = 3600 })
    const seen = new Set<string>()
    // Three times: a refresh token that was not stored would be refused the second time, and its grant revoked.
    for (let time = 0; time < 3; time++) {
      const before = refreshes()
      const { status, body } = await ask(somebody, target)
      t.equal(status, 200)
      t.equal(refreshes(), before + 1)
      seen.add(body.accessToken)
    }
    t.equal(seen.size, 3)
    acme.accessTokenLife = 3600
    const { body } = await ask(somebody, target)
    t.equal(await ownerAt(body.accessToken), `subject-${count}`)
    const before = refreshes()
    t.equal((await ask(somebody, target)).body.accessToken, body.accessToken)
    t.equal(refreshes(), before, 'and a fresh one is left alone')
  })

  t.test('are refreshed once by concurrent requests', async t => {
    acme.accessTokenLife = 1
    const { somebody, target } = await signedIn()
    acme.accessTokenLife = 3600
    const before = refreshes()
    const answers = await Promise.all(Array.from({ length: 20 }, () => ask(somebody, target)))
    t.strictSame([...new Set(answers.map(({ status }) => status))], [200])
    t.equal(new Set(answers.map(({ body }) => body.accessToken)).size, 1)
    t.equal(refreshes(), before + 1)
    t.equal(await ownerAt(answers[0]?.body.accessToken ?? ''), `subject-${count}`)
  })

  t.test('whose refresh is refused require a new sign-in, after which they work', async t => {
    acme.accessTokenLife = 1
    const { somebody, target } = await signedIn()
    acme.accessTokenLife = 3600
    acme.revokeRefreshTokens()
    for (let time = 0; time < 2; time++) isProblem(t, await service.call(target, { cookies: cookiesOf(somebody) }), 'reauthorization_required')
    t.match(await signIn(somebody, 'acme', { as: `subject-${count}` }), { error: null })
    t.equal((await ask(somebody, target)).status, 200)
  })

  t.test('whose provider is unavailable do not count as refused', async t => {
    acme.accessTokenLife = 1
    const { somebody, target } = await signedIn()
    acme.accessTokenLife = 3600
    await t.test('down', async t => {
      await acme.takeDown(t)
      isProblem(t, await service.call(target, { cookies: cookiesOf(somebody) }), 'provider_unavailable')
    })
    await t.test('broken', async t => {
      acme.replace(t, '/token', (_request, response) => {
        response.statusCode = 500
        response.end('oops')
      })
      isProblem(t, await service.call(target, { cookies: cookiesOf(somebody) }), 'provider_unavailable')
    })
    const { status } = await ask(somebody, target)
    t.equal(status, 200, 'and are refreshed when it is back')
  })

  t.test('without an expiry and without a refresh token are returned as they are', async t => {
    github.accounts.set('octocat', { id: 4, emails: [{ email: 'octocat@github.example', primary: true, verified: true }] })
    const somebody = browser()
    await signIn(somebody, 'github', { as: 'octocat' })
    const { body: { items: [identity] } } = await service.call<Identities>('GET /auth/identities', { cookies: cookiesOf(somebody) })
    t.match(await ask(somebody, `GET /auth/identities/${identity?.id}/token`), { status: 200, body: { accessToken: /^gho_/, expiresAt: null } })
  })

  t.test('are deleted with the link', async t => {
    const { somebody, id, target } = await signedIn()
    await service.call('POST /auth/register', { json: { email: `other-${count}@example.com`, password: 'correct horse battery' } })
    const [{ user_id: userId } = { user_id: '' }] = await service.sql<{ user_id: string }>('SELECT user_id FROM identities WHERE id = $1::uuid', id)
    await service.sql('UPDATE users SET password_hash = (SELECT password_hash FROM users WHERE password_hash IS NOT NULL LIMIT 1) WHERE id = $1::uuid', userId)
    t.equal((await service.call(`DELETE /auth/identities/${id}`, { cookies: cookiesOf(somebody), headers: { 'sec-fetch-site': 'same-origin' } })).status, 204)
    isProblem(t, await service.call(target, { cookies: cookiesOf(somebody) }), 'not_found')
    t.strictSame(await service.sql('SELECT 1 FROM identities WHERE id = $1::uuid', id), [])
  })

  t.test('request a refresh token from Google', async t => {
    const page = await browser().visit('/auth/providers/google?redirectTo=https%3A%2F%2Fapp.example.com%2Fwelcome')
    t.match(Object.fromEntries(page.location?.searchParams ?? []), { access_type: 'offline' })
  })
})

t.test("a provider's tokens are not stored by default", async t => {
  const { service, google, browser } = await startWorld(t)
  google.accounts.set('ada', { email: 'ada@example.com', email_verified: true })
  const somebody = browser()
  await signIn(somebody, 'google', { as: 'ada' })
  const { body: { items: [identity] } } = await service.call<Identities>('GET /auth/identities', { cookies: cookiesOf(somebody) })
  isProblem(t as Test, await service.call(`GET /auth/identities/${identity?.id}/token`, { cookies: cookiesOf(somebody) }), 'not_found')
  t.strictSame(await service.sql('SELECT access_token, refresh_token FROM identities'), [{ access_token: null, refresh_token: null }])
})
