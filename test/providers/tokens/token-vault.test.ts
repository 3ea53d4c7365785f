import t from 'tap'
import { cookiesOf, signIn } from '../../support/providers/sign-in.ts'
import { startWorld } from '../../support/providers/world.ts'
import { isProblem } from '../../support/problem.ts'

interface ProviderToken { accessToken: string, expiresAt: string | null, scope: string | null }

t.test("a provider's tokens, when something goes wrong", async t => {
  const { service, acme, facebook, browser } = await startWorld(t, { OIDC_ACME_KEEP_TOKENS: 'true' })
  let count = 0

  /** A new user, signed in with `acme`, whose access token is stale at once by default. */
  async function signedIn (life = 1) {
    const subject = `subject-${++count}`
    acme.accounts.set(subject, { email: `${subject}@acme.example` })
    const somebody = browser()
    acme.accessTokenLife = life
    t.match(await signIn(somebody, 'acme', { as: subject }), { error: null })
    acme.accessTokenLife = 3600
    const cookies = cookiesOf(somebody)
    const { body: { items: [identity] } } = await service.call<{ items: Array<{ id: string }> }>('GET /auth/identities', { cookies })
    const target = `GET /auth/identities/${identity?.id}/token`
    return { subject, ask: () => service.call<ProviderToken>(target, { cookies }), askInVain: () => service.call(target, { cookies }) }
  }

  /** Makes storing tokens fail a number of times. */
  async function failToStore (t: { teardown (undo: () => unknown): unknown }, times: number): Promise<void> {
    await service.sql('CREATE SEQUENCE failures')
    await service.sql(`CREATE FUNCTION fail_to_store() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
      IF nextval('failures') <= ${times} THEN RAISE EXCEPTION 'the disk is full'; END IF; RETURN NEW; END $$`)
    await service.sql('CREATE TRIGGER fail_to_store BEFORE UPDATE OF access_token ON identities FOR EACH ROW EXECUTE FUNCTION fail_to_store()')
    t.teardown(async () => {
      await service.sql('DROP TRIGGER fail_to_store ON identities')
      await service.sql('DROP FUNCTION fail_to_store')
      await service.sql('DROP SEQUENCE failures')
    })
  }

  t.test('are stored at the third attempt, because the old ones are useless', async t => {
    const { ask } = await signedIn()
    await failToStore(t, 2)
    const { status, body } = await ask()
    t.equal(status, 200)
    t.equal((await ask()).body.accessToken, body.accessToken, 'and are kept')
  })

  t.test('are returned even if they cannot be stored, which is logged', async t => {
    const { ask } = await signedIn()
    await failToStore(t, 3)
    const { status, body } = await ask()
    t.equal(status, 200)
    t.equal((await fetch(`${acme.origin}/me`, { headers: { authorization: `Bearer ${body.accessToken}` } })).status, 200)
    t.ok(service.log.some(({ level, err }) => level === 50 && JSON.stringify(err).includes('P0001')))
    t.notOk(service.logText().includes(body.accessToken))
  })

  t.test('return the provider\'s error, also if the lease cannot be released', async t => {
    const { askInVain } = await signedIn()
    acme.replace(t, '/token', (_request, response) => {
      response.statusCode = 500
      response.end()
    })
    await service.sql('CREATE FUNCTION fail_to_release() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION \'the disk is full\'; END $$')
    await service.sql('CREATE TRIGGER fail_to_release BEFORE UPDATE ON identities FOR EACH ROW WHEN (NEW.refreshing_until IS NULL) EXECUTE FUNCTION fail_to_release()')
    t.teardown(() => service.sql('DROP TRIGGER fail_to_release ON identities'))
    isProblem(t, await askInVain(), 'provider_unavailable')
  })

  t.test('that belong to another subject by their ID token are refused', async t => {
    const { askInVain } = await signedIn()
    await t.test('refreshed', async t => {
      acme.forge(t, { claims: { sub: 'somebody-else' } })
      isProblem(t, await askInVain(), 'provider_error')
    })
  })

  t.test('that live for ever, or of which nonsense is said, are kept within bounds', async t => {
    acme.alter(t, '/token', reply => ({ ...reply, body: JSON.stringify({ ...JSON.parse(reply.body) as object, expires_in: 1e300, scope: 'openid\u0000email' }) }))
    const { ask } = await signedIn()
    const { status, body } = await ask()
    t.equal(status, 200)
    t.ok(Date.parse(body.expiresAt ?? '') < Date.now() + 11 * 365 * 86_400_000, String(body.expiresAt))
    t.equal(body.scope, null)
  })

  t.test('follow the name that the configuration has for their issuer', async t => {
    const { subject, ask, askInVain } = await signedIn(3600)
    await service.sql("UPDATE identities SET provider = 'before' WHERE subject = $1", subject)
    isProblem(t, await askInVain(), 'not_found')
    t.match(await signIn(browser(), 'acme', { as: subject }), { error: null })
    t.equal((await ask()).status, 200)
  })

  t.test('a subject that is no text is nobody', async t => {
    for (const id of ['\\ud800', 'x\\u0000']) {
      facebook.accounts.set('7', { name: 'Seven', email: 'seven@facebook.example' })
      await t.test(id, async t => {
        facebook.alter(t, '/me', reply => ({ ...reply, body: `{"id":"${id}","email":"seven@facebook.example"}` }))
        t.match(await signIn(browser(), 'facebook', { as: '7' }), { error: 'provider_error' })
      })
    }
  })
})
