import t from 'tap'
import { createServer } from '../../../src/server.ts'
import { createLogger } from '../../../src/http/server/logging.ts'
import { onPostgres } from '../../support/database.ts'
import { agree, startFlow, finishFlow, cookiesOf, signIn } from '../../support/providers/sign-in.ts'
import { startWorld } from '../../support/providers/world.ts'

interface Identities { items: Array<{ id: string }> }

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

  for (const [what, change] of [
    ['an account that is disabled', (email: string) => service.sql('UPDATE users SET disabled_at = now() WHERE email = $1', email)],
    ['an identity that is unlinked', (email: string) => service.sql('DELETE FROM identities WHERE email = $1', email)]
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
      t.match(await outcome, { error: 'account_disabled' })
      t.notOk('__Host-access' in cookiesOf(again))
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
