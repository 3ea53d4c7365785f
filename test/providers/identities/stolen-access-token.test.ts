import t from 'tap'
import type { Browser } from '../../support/providers/browser.ts'
import { agree, finishFlow, cookiesOf, signIn } from '../../support/providers/sign-in.ts'
import { APP, startWorld } from '../../support/providers/world.ts'
import { present } from '../../support/presence.ts'
import { isProblem } from '../../support/problem.ts'
import { PASSWORD, type Call } from '../../support/service.ts'

const SAME_ORIGIN = { 'sec-fetch-site': 'same-origin' }
const THEFTS: Record<string, (stolen: string) => Call> = {
  'as Bearer': stolen => ({ token: stolen }),
  'as cookie': stolen => ({ cookies: { '__Host-access': stolen }, headers: SAME_ORIGIN })
}

t.test('an access token that was stolen right after the login', async t => {
  const { service, google, browser } = await startWorld(t)
  const attackers = 'attacker'
  google.accounts.set(attackers, { email: 'attacker@evil.example', email_verified: true })
  let count = 0

  /** A new user, signed in with Google, without a password. */
  async function newcomer (): Promise<{ victim: Browser, access: string, id: string, email: string }> {
    const email = `victim-${++count}@example.com`
    google.accounts.set(email, { email, email_verified: true })
    const victim = browser()
    t.match(await signIn(victim, 'google', { as: email }), { error: null })
    const { body } = await service.call<{ id: string }>('GET /auth/verify', { cookies: cookiesOf(victim) })
    return { victim, access: cookiesOf(victim)['__Host-access'] ?? '', id: body.id, email }
  }

  for (const [how, by] of Object.entries(THEFTS)) {
    t.test(`links nothing, ${how}`, async t => {
      const person = await service.person()
      for (const json of [{ provider: 'google', redirectTo: APP }, { provider: 'google', redirectTo: APP, codeChallenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM' }]) {
        isProblem(t, await service.call('POST /auth/identities/link', { ...by(person.accessToken), json }), 'insufficient_user_authentication')
      }
      t.strictSame(await service.sql('SELECT 1 FROM identities WHERE user_id = $1::uuid', person.user.id), [])
    })

    t.test(`sets no first password, unlinks nothing and deletes nothing, ${how}`, async t => {
      const { victim, access, id, email } = await newcomer()
      const { body: { items: [identity] } } = await service.call<{ items: Array<{ id: string }> }>('GET /auth/identities', { cookies: cookiesOf(victim) })
      isProblem(t, await service.call('POST /auth/password', { ...by(access), json: { newPassword: PASSWORD } }), 'insufficient_user_authentication')
      isProblem(t, await service.call(`DELETE /auth/identities/${identity?.id}`, by(access)), 'insufficient_user_authentication')
      isProblem(t, await service.call('DELETE /auth/me', by(access)), 'insufficient_user_authentication')
      isProblem(t, await service.call('POST /auth/me/delete', by(access)), 'insufficient_user_authentication')
      t.match(await service.sql('SELECT password_hash, (SELECT count(*)::int FROM identities WHERE user_id = users.id) AS identities FROM users WHERE id = $1::uuid', id), [{ password_hash: null, identities: 1 }])
      t.equal((await service.call('POST /auth/login', { json: { email, password: PASSWORD } })).status, 401)
    })

    t.test(`changes no password, even with the current one, ${how}`, async t => {
      const person = await service.person()
      isProblem(t, await service.call('POST /auth/password', { ...by(person.accessToken), json: { currentPassword: PASSWORD, newPassword: 'a staple of nine words' } }), 'insufficient_user_authentication')
      await service.logIn(person)
    })

    t.test(`completes no linking that its owner started, ${how}`, async t => {
      const { victim, access, id } = await newcomer()
      const page = await victim.visit('/auth/identities/link', { json: { provider: 'google', redirectTo: APP }, site: 'same-origin' })
      const callback = await agree(victim, new URL((JSON.parse(page.text) as { url: string }).url), attackers)
      const cookies = Object.fromEntries(Object.entries(cookiesOf(victim)).filter(([name]) => name.includes('flow-')))
      const { token, cookies: stolen } = by(access)
      const answer = await service.call(`GET ${callback.pathname}${callback.search}`, { ...token !== undefined && { token }, cookies: { ...cookies, ...stolen } })
      t.match(answer, { status: 302, headers: { location: `${APP}?error=different_session` } })
      t.strictSame(await service.sql('SELECT 1 FROM identities WHERE user_id = $1::uuid AND subject = $2', id, attackers), [])
      t.match(await finishFlow(victim, callback), { error: null }, 'the browser of its owner does')
      await service.sql('DELETE FROM identities WHERE subject = $1', attackers)
    })
  }

  t.test('is useless after its owner has set another password and ended all other sessions', async t => {
    const { victim, access } = await newcomer()
    const answer = await victim.visit('/auth/password', { json: { newPassword: PASSWORD }, site: 'same-origin' })
    t.equal(answer.status, 200, answer.text)
    t.match(JSON.parse(answer.text), { identities: [{ provider: 'google' }] })
    for (const by of Object.values(THEFTS)) isProblem(t, await service.call('GET /auth/me', by(access)), 'invalid_token')
    t.equal((await service.call('GET /auth/me', { cookies: cookiesOf(victim) })).status, 200)
  })

  t.test('of an admin makes nobody an admin', async t => {
    const [admin, attacker] = [await service.admin(), await service.person()]
    for (const by of Object.values(THEFTS)) isProblem(t, await service.call(`PATCH /admin/users/${attacker.user.id}`, { ...by(admin.accessToken), json: { role: 'admin' } }), 'insufficient_user_authentication')
    t.equal((await service.call(`PATCH /admin/users/${attacker.user.id}`, present(admin, { role: 'admin' }))).status, 200)
  })
})
