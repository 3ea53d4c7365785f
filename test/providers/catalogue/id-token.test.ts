import t from 'tap'
import { createSigningKey, readIdToken, toPublicJwk } from '../../support/providers/id-token.ts'
import { cookiesOf, signIn } from '../../support/providers/sign-in.ts'
import { later } from '../../support/later.ts'
import { APP, startWorld } from '../../support/providers/world.ts'
import { asIs, hostileIdTokens } from './hostile-id-tokens.ts'
import { forgeableKeys } from '../../support/forgeable-keys.ts'

t.test('the ID token that a code is exchanged for', async t => {
  const { service, google, acme, browser } = await startWorld(t)
  google.accounts.set('ada', { email: 'ada@example.com', email_verified: true })
  acme.accounts.set('ada', { email: 'ada@acme.example' })
  const users = async () => (await service.sql<{ n: number }>('SELECT count(*)::int AS n FROM users'))[0]?.n

  t.test('is accepted if it is valid, though signed anew', async t => {
    google.forge(t, {})
    t.match(await signIn(browser(), 'google', { as: 'ada' }), { at: APP, error: null })
  })

  for (const [issuer, provider] of [[google, 'google'], [acme, 'acme']] as const) {
    t.test(`of ${provider} is refused`, async t => {
      for (const { name, mangle = asIs, ...forgery } of hostileIdTokens({ clientSecret: 'a secret that the provider gave', jku: `${acme.origin}/jku` })) {
        await t.test(name, async t => {
          const before = await users()
          issuer.alter(t, '/token', reply => {
            const body = JSON.parse(reply.body) as { id_token: string }
            const forged = issuer.idToken({ ...forgery, claims: { ...readIdToken(body.id_token), ...forgery.claims } })
            return { ...reply, body: JSON.stringify({ ...body, id_token: mangle(forged) }) }
          })
          const somebody = browser()
          t.match(await signIn(somebody, provider, { as: 'ada' }), { at: APP, error: 'provider_error', page: { status: 302 } })
          t.strictSame(Object.keys(cookiesOf(somebody)).filter(cookie => /access|session|refresh/.test(cookie)), [])
          t.equal(await users(), before)
        })
      }
    })

    t.test(`of ${provider} is required`, async t => {
      issuer.alter(t, '/token', reply => {
        const { id_token: _, ...body } = JSON.parse(reply.body) as { id_token: string }
        return { ...reply, body: JSON.stringify(body) }
      })
      t.match(await signIn(browser(), provider, { as: 'ada' }), { error: 'provider_error' })
    })
  }

  t.test('is not verified by a key that it points to', async t => {
    t.notOk(acme.asked.some(({ path }) => path === '/jku'))
  })

  t.test('is accepted by a clock that is behind by less than a minute', async t => {
    const now = Math.floor(Date.now() / 1000)
    google.forge(t, { claims: { iat: now + 20, auth_time: now + 20, exp: now + 600 } })
    t.match(await signIn(browser(), 'google', { as: 'ada' }), { at: APP, error: null })
  })

  t.test('and userinfo of another subject is refused', async t => {
    for (const sub of ['mallory', '', undefined]) {
      await t.test(`sub: ${sub}`, async t => {
        acme.alter(t, '/me', reply => ({ ...reply, body: JSON.stringify({ ...JSON.parse(reply.body) as object, sub }) }))
        t.match(await signIn(browser(), 'acme', { as: 'ada' }), { error: 'provider_error' })
      })
    }
  })
})

t.test('an ID token is verified by new keys a minute after the provider has changed them', async t => {
  // A world of its own: the keys are fetched just before they change.
  const { google, browser } = await startWorld(t)
  google.accounts.set('ada', { email: 'ada@example.com', email_verified: true })
  t.match(await signIn(browser(), 'google', { as: 'ada' }), { at: APP, error: null })
  const next = createSigningKey('next')
  google.alter(t, '/jwks', reply => ({ ...reply, body: JSON.stringify({ keys: [toPublicJwk(next)] }) }))
  google.forge(t, { key: next })
  const fetched = () => google.asked.filter(({ path }) => path === '/jwks').length
  const before = fetched()
  t.equal(before, 1)
  for (let time = 0; time < 3; time++) t.match(await signIn(browser(), 'google', { as: 'ada' }), { error: 'provider_error' })
  t.equal(fetched(), before, 'not at once, or anybody could have them fetched all the time')
  await later(t, 61, async () => { t.match(await signIn(browser(), 'google', { as: 'ada' }), { error: null }) })
  t.equal(fetched(), before + 1)
})

t.test('an ID token under a key that anybody can forge for is refused', async t => {
  for (const [name, key] of Object.entries(forgeableKeys())) {
    await t.test(name, async t => {
      const { acme, browser } = await startWorld(t)
      acme.accounts.set('ada', { email: 'ada@acme.example' })
      const kid = 'forgeable'
      acme.alter(t, '/.well-known/openid-configuration', reply => ({ ...reply, body: JSON.stringify({ ...JSON.parse(reply.body) as object, id_token_signing_alg_values_supported: [key.alg] }) }))
      acme.alter(t, '/jwks', reply => ({ ...reply, body: JSON.stringify({ keys: [{ ...key.jwk, kid, alg: key.alg, use: 'sig' }] }) }))
      acme.alter(t, '/token', reply => {
        const body = JSON.parse(reply.body) as { id_token: string }
        return { ...reply, body: JSON.stringify({ ...body, id_token: key.forge({ alg: key.alg, typ: 'JWT', kid }, readIdToken(body.id_token)) }) }
      })
      t.match(await signIn(browser(), 'acme', { as: 'ada' }), { at: APP, error: 'provider_error' })
      t.ok(acme.asked.some(({ path }) => path === '/jwks'), 'the keys were asked for')
    })
  }
})
