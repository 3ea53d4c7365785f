import t from 'tap'
import { agree, startFlow, finishFlow, cookiesOf, signIn } from '../../support/providers/sign-in.ts'
import { APP, startWorld } from '../../support/providers/world.ts'

t.test('at GitHub', async t => {
  const { service, github, google, browser } = await startWorld(t)
  github.accounts.set('ada', { id: 1, emails: [{ email: 'ada@github.example', primary: true, verified: true }] })

  t.test('the issuer is not the URL of the site, and is optional', async t => {
    for (const [iss, error] of [[`${github.origin}/login/oauth`, null], [undefined, null], [github.origin, 'provider_error'], [`${github.origin}/login/oauth/`, 'provider_error'], [google.issuer, 'provider_error']] as const) {
      const somebody = browser()
      const callback = await agree(somebody, await startFlow(somebody, 'github'), 'ada')
      t.equal(callback.searchParams.get('iss'), `${github.origin}/login/oauth`, 'as GitHub sends it')
      if (iss === undefined) callback.searchParams.delete('iss')
      else callback.searchParams.set('iss', iss)
      t.match(await finishFlow(somebody, callback), { at: APP, error }, String(iss))
      t.equal('__Host-access' in cookiesOf(somebody), error === null)
    }
    t.match(await service.sql("SELECT issuer FROM identities WHERE provider = 'github'"), [{ issuer: github.origin }], 'identities go by the site all the same')
  })

  t.test('the primary address is found among many', async t => {
    const others = Array.from({ length: 60 }, (_, n) => ({ email: `other-${n}@github.example`, primary: false, verified: true }))
    github.accounts.set('collector', { id: 2, emails: [...others, { email: 'collector@github.example', primary: true, verified: true }] })
    const somebody = browser()
    t.match(await signIn(somebody, 'github', { as: 'collector' }), { error: null })
    t.match((await service.call('GET /auth/me', { cookies: cookiesOf(somebody) })).body, { email: 'collector@github.example' })
  })
})
