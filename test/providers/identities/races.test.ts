import t from 'tap'
import { createServer } from '../../../src/server.ts'
import { createLogger } from '../../../src/http/server/logging.ts'
import { onPostgres } from '../../support/database.ts'
import { agree, startFlow, finishFlow, cookiesOf, signIn } from '../../support/providers/sign-in.ts'
import { APP_LINK, startWorld } from '../../support/providers/world.ts'

interface Identities { items: Array<{ id: string }> }
type SignInParameters = Readonly<Record<string, string>> | undefined

t.test('changes while a user signs in with a provider', async t => {
  const { service, acme, browser } = await startWorld(t, { OIDC_ACME_KEEP_TOKENS: 'true' })
  let count = 0

  /** A new user who can log in only with `acme`. */
  async function newcomer () {
    const subject = `subject-${++count}`
    acme.accounts.set(subject, { email: `${subject}@acme.example` })
    const somebody = browser()
    await signIn(somebody, 'acme', { as: subject })
    const { body: { items: [identity] } } = await service.call<Identities>('GET /auth/identities', { cookies: cookiesOf(somebody) })
    return { somebody, subject, email: `${subject}@acme.example`, id: identity?.id ?? '' }
  }

  t.test('a first sign-in that finds the address taken by another of the same person goes on in that account', async t => {
    acme.accounts.set('twice', { email: 'twice@acme.example' })
    const [one, other] = [browser(), browser()]
    const callbacks = [await agree(one, await startFlow(one, 'acme'), 'twice'), await agree(other, await startFlow(other, 'acme'), 'twice')] as const
    const held = service.hold('identities.find-account-by-email')
    const outcome = finishFlow(one, callbacks[0])
    await held.reached
    t.match(await finishFlow(other, callbacks[1]), { error: null })
    held.release()
    t.match(await outcome, { error: null })
    const [mine, theirs] = await Promise.all([one, other].map(somebody => service.call<{ id: string }>('GET /auth/verify', { cookies: cookiesOf(somebody) })))
    t.equal(mine?.body.id, theirs?.body.id)
    t.equal((await service.sql("SELECT 1 FROM audit_events WHERE action = 'login' AND outcome = 'failure'")).length, 0)
  })

  const deletions: Array<[string, string, SignInParameters]> = [
    ['in a browser', 'sessions.open-by-identity', undefined],
    ['in an app', 'one-time-tokens.issue', { codeChallenge: 'W'.repeat(43), codeChallengeMethod: 'S256' }]
  ]
  for (const [where, statement, parameters] of deletions) {
    t.test(`of an account that is deleted meanwhile, ${where}: goes on in a new one`, async t => {
      const { subject, email } = await newcomer()
      const again = browser()
      const callback = await agree(again, await startFlow(again, 'acme', { ...parameters !== undefined && { parameters, redirectTo: APP_LINK } }), subject)
      const held = service.hold(statement)
      const outcome = finishFlow(again, callback)
      await held.reached
      const [old] = await service.sql<{ id: string }>('DELETE FROM users WHERE email = $1 RETURNING id', email)
      held.release()
      const { error, code } = await outcome
      t.equal(error, null)
      t.equal(code !== null, parameters !== undefined)
      const [account] = await service.sql<{ id: string }>('SELECT id FROM users WHERE email = $1', email)
      t.ok(account !== undefined && account.id !== old?.id)
    })
  }

  for (const [what, change, error] of [
    ['an account that is disabled', (email: string) => service.sql('UPDATE users SET disabled_at = now() WHERE email = $1', email), 'account_disabled'],
    // Looked up again, it is the identity of nobody, at an address that somebody has.
    ['an identity that is unlinked', (email: string) => service.sql('DELETE FROM identities WHERE email = $1', email), 'account_exists']
  ] as const) {
    t.test(`${what} opens no session any more`, async t => {
      const { subject, email } = await newcomer()
      const again = browser()
      const callback = await agree(again, await startFlow(again, 'acme'), subject)
      const held = service.hold('sessions.open-by-identity')
      const outcome = finishFlow(again, callback)
      await held.reached
      await change(email)
      held.release()
      t.match(await outcome, { error })
      t.notOk('__Host-access' in cookiesOf(again))
      const trail = await service.sql("SELECT e.detail FROM audit_events e JOIN users u ON u.id = e.subject_id WHERE u.email = $1 AND e.action = 'login' AND e.outcome = 'failure'", email)
      t.strictSame(trail, [{ detail: { provider: 'acme', code: error } }])
    })
  }

  t.test('of the last two identities, unlinked at once, one stays', async t => {
    for (let round = 0; round < 5; round++) {
      const { somebody, id, email } = await newcomer()
      const other = crypto.randomUUID()
      await service.sql("INSERT INTO identities (id, user_id, provider, issuer, subject) SELECT $2::uuid, id, 'github', 'https://github.com', $2::text FROM users WHERE email = $1", email, other)
      const unlink = (id: string) => service.call(`DELETE /auth/identities/${id}`, { cookies: cookiesOf(somebody), headers: { 'sec-fetch-site': 'same-origin' } })
      const statuses = (await Promise.all([unlink(id), unlink(other)])).map(({ status }) => status)
      t.strictSame(statuses.sort(), [204, 409])
    }
  })

  t.test('stale tokens are refreshed once, by however many instances', onPostgres, async t => {
    const another = await createServer(service.config, { logger: createLogger({ logLevel: 'silent' }) })
    t.teardown(() => another.close())
    await another.ready()
    acme.accessTokenLife = 1
    const { somebody, id } = await newcomer()
    acme.accessTokenLife = 3600
    const before = acme.asked.filter(({ path }) => path === '/token').length
    const cookie = Object.entries(cookiesOf(somebody)).map(pair => pair.join('=')).join('; ')
    const answers = await Promise.all(Array.from({ length: 20 }, (_, index) => (index % 2 === 0 ? service.app : another).inject({ url: `/auth/identities/${id}/token`, headers: { cookie } })))
    t.strictSame([...new Set(answers.map(({ statusCode }) => statusCode))], [200])
    t.equal(new Set(answers.map(answer => answer.json<{ accessToken: string }>().accessToken)).size, 1)
    t.equal(acme.asked.filter(({ path }) => path === '/token').length, before + 1)
  })
})
