import jwt from 'jsonwebtoken'
import t from 'tap'
import { createHmacKey, createTokenVerifier } from 'countersign-verifier/internal'
import { onPostgres } from '../support/database.ts'
import { commitInFrontOf } from '../support/lock-in-front.ts'
import { claimsOf, headerOf, registerClient, registryOf, type TestClient } from '../support/oauth.ts'
import { fieldsOf, isProblem } from '../support/problem.ts'
import { startService, type LoginBody, type TestService } from '../support/service.ts'

/** A service that verifies for itself, with the key that it was handed out. */
function verifierOf ({ config: { issuer } }: Pick<TestService, 'config'>, { audience, key }: TestClient) {
  const name = audience ?? ''
  return createTokenVerifier({ issuer, audience: name, keys: [createHmacKey(key, issuer, name)] })
}

t.test('an audience has one client, though another one gets it and its next key meanwhile', onPostgres, async t => {
  const service = await startService(t)
  const another = `DO $$ BEGIN
    INSERT INTO clients (id, name, audience, secret_hash) VALUES ('client_other', 'other', 'cart', '\\x00');
    UPDATE clients SET key_version = 2 WHERE id = 'client_other';
  END $$`
  await t.rejects(commitInFrontOf(service, [another], () => registerClient(service, { audience: 'cart' })), /Another client has the audience cart/)
  t.strictSame(await service.sql('SELECT id FROM clients'), [{ id: 'client_other' }])
})

t.test('a token for a registered audience', async t => {
  const service = await startService(t)
  const cart = await registerClient(service, { audience: 'cart' })
  const depot = await registerClient(service, { audience: 'https://depot.example.com' })
  const person = await service.person()
  const { email, password } = person
  const logIn = (json: object) => service.call<LoginBody>('POST /auth/login', { json: { email, password, ...json } })
  const forCart = (await logIn({ audience: 'cart' })).body

  t.test('can be requested when registering, logging in and refreshing', async t => {
    const registered = await service.call<LoginBody>('POST /auth/register', { json: { email: 'grace@example.com', password, audience: 'cart' } })
    const loggedIn = await logIn({ audience: 'cart' })
    const refreshed = await service.call<LoginBody>('POST /auth/refresh', { json: { refreshToken: person.refreshToken, audience: 'cart' } })
    t.strictSame([registered.status, loggedIn.status, refreshed.status], [201, 200, 200])
    for (const { body } of [registered, loggedIn, refreshed]) {
      t.equal(claimsOf(body.accessToken).aud, 'cart')
      t.match(verifierOf(service, cart).verify(body.accessToken), { id: body.user.id, role: 'user', email: body.user.email })
    }
    const later = await service.call<LoginBody>('POST /auth/refresh', { json: { refreshToken: refreshed.body.refreshToken } })
    t.equal(claimsOf(later.body.accessToken).aud, 'api', 'a refresh that names nobody is for the service itself')
    t.equal(claimsOf((await logIn({ audience: 'api' })).body.accessToken).aud, 'api', 'which may be named as well')
  })

  t.test('can be delivered in cookies', async t => {
    const { status, cookies } = await service.call('POST /auth/login', { json: { email, password, audience: 'cart', deliver: 'cookie' }, headers: { 'sec-fetch-site': 'same-origin' } })
    t.equal(status, 200)
    t.equal(claimsOf(cookies.access?.value ?? '').aud, 'cart')
  })

  t.test('is verified by its holder\'s key with any library', async t => {
    t.equal(headerOf(forCart.accessToken).alg, 'HS256')
    t.match(jwt.verify(forCart.accessToken, cart.key, { algorithms: ['HS256'], audience: 'cart' }), { sub: person.user.id })
    t.match(cart.key, /^[\w-]{43}$/)
  })

  t.test('is refused by the service\'s own routes', async t => {
    for (const target of ['GET /auth/verify', 'GET /auth/me', 'POST /auth/logout', 'GET /admin/users']) isProblem(t, await service.call(target, { token: forCart.accessToken }), 'invalid_token', target)
  })

  t.test('is refused by the verifiers of other audiences', async t => {
    const forDepot = (await logIn({ audience: 'https://depot.example.com' })).body.accessToken
    t.equal(verifierOf(service, depot).verify(forDepot).id, person.user.id)
    for (const [client, token] of [[cart, forDepot], [depot, forCart.accessToken], [cart, person.accessToken], [depot, person.accessToken]] as const) {
      t.throws(() => verifierOf(service, client).verify(token), /unknown_key/)
    }
  })

  t.test('cannot be signed with the key of another audience, whatever it claims', async t => {
    const { issuer, jwtSecrets: [shared = ''] } = service.config
    const kidFor = (key: string, audience: string) => createHmacKey(key, issuer, audience).kid
    for (const [key, target] of [[cart.key, depot], [shared, depot], [depot.key, cart], [shared, cart]] as const) {
      const audience = target.audience ?? ''
      for (const kid of [kidFor(key, audience), kidFor(target.key, audience)]) {
        const forged = jwt.sign({ ...claimsOf(forCart.accessToken), aud: audience, role: 'admin' }, key, { algorithm: 'HS256', header: { alg: 'HS256', typ: 'at+jwt', kid } })
        t.throws(() => verifierOf(service, target).verify(forged), /unknown_key|bad_signature/, `${audience} ${kid}`)
      }
    }
    for (const [kid, key] of [[kidFor(cart.key, 'cart'), cart.key], [kidFor(shared, 'api'), cart.key]] as const) {
      const forged = jwt.sign({ ...claimsOf(person.accessToken), role: 'admin' }, key, { algorithm: 'HS256', header: { alg: 'HS256', typ: 'at+jwt', kid } })
      isProblem(t, await service.call('GET /admin/users', { token: forged }), 'invalid_token', 'nor is the service taken in')
    }
  })

  t.test('is not issued for an unknown audience', async t => {
    const gone = await registerClient(service, { audience: 'gone' })
    await registryOf(service).remove(gone.id)
    for (const audience of ['nowhere', 'gone', 'Cart', 'cart ', '*']) {
      isProblem(t, await service.call('POST /auth/login', { json: { email, password, audience } }), 'unknown_audience', audience)
      isProblem(t, await service.call('POST /auth/register', { json: { email: 'new@example.com', password, audience } }), 'unknown_audience', audience)
      isProblem(t, await service.call('POST /auth/refresh', { json: { refreshToken: forCart.refreshToken, audience } }), 'unknown_audience', audience)
    }
    t.equal((await service.call('POST /auth/refresh', { json: { refreshToken: forCart.refreshToken } })).status, 200, 'asking for one costs no session')
  })

  t.test('tells nobody without credentials which audiences there are', async t => {
    const alike = async (name: string, ask: (audience: string) => Promise<{ status: number, headers: object, text: string }>) => {
      const [known, unknown] = [await ask('cart'), await ask('nowhere')]
      for (const answer of [known, unknown]) t.notMatch(answer.text, 'unknown_audience', name)
      const { status, headers: { date: _date, ...headers }, text } = { ...known, headers: known.headers as Record<string, unknown> }
      const { date: _other, ...others } = unknown.headers as Record<string, unknown>
      t.strictSame({ status: unknown.status, headers: others, text: unknown.text }, { status, headers, text }, name)
    }
    const grace = await service.person()
    await service.sql('UPDATE users SET disabled_at = now() WHERE id = $1::uuid', grace.user.id)
    await alike('a wrong password', audience => service.call('POST /auth/login', { json: { email, password: 'another horse battery', audience } }))
    await alike('an unknown account', audience => service.call('POST /auth/login', { json: { email: 'nobody@example.com', password, audience } }))
    await alike('a disabled account', audience => service.call('POST /auth/login', { json: { email: grace.email, password: grace.password, audience } }))
    await alike('a taken address', audience => service.call('POST /auth/register', { json: { email, password, audience } }))
    await alike('a weak password', audience => service.call('POST /auth/register', { json: { email: 'new@example.com', password: 'password', audience } }))
    await alike('no refresh token', audience => service.call('POST /auth/refresh', { json: { refreshToken: 'none', audience } }))
    await alike('the refresh token of a disabled account', audience => service.call('POST /auth/refresh', { json: { refreshToken: grace.refreshToken, audience } }))

    const { accessToken, refreshToken } = (await logIn({})).body
    t.equal((await service.call('POST /auth/logout', { token: accessToken })).status, 204)
    await alike('the refresh token of a session that has ended', audience => service.call('POST /auth/refresh', { json: { refreshToken, audience } }))
  })

  t.test('is refused to the right password with a trace', async t => {
    isProblem(t, await logIn({ audience: 'nowhere' }) as never, 'unknown_audience')
    // Whoever lists the trail sees what was just counted.
    const { accessToken } = await service.admin()
    const { body } = await service.call<{ items: Array<{ outcome: string, detail: { code?: string } | null }> }>(`GET /admin/audit?action=login&subject=${person.user.id}`, { token: accessToken })
    t.match(body.items.find(({ detail }) => detail?.code === 'unknown_audience'), { outcome: 'failure' })
  })

  t.test('is not used up by a refresh token that asks for an unknown one', async t => {
    const { refreshToken } = (await logIn({})).body
    isProblem(t, await service.call('POST /auth/refresh', { json: { refreshToken, audience: 'nowhere' } }), 'unknown_audience')
    const { status, body } = await service.call<LoginBody>('POST /auth/refresh', { json: { refreshToken, audience: 'cart' } })
    t.equal(status, 200)
    t.equal(claimsOf(body.accessToken).aud, 'cart')
  })

  t.test('cannot be for the audience that the service has as its own', async t => {
    await registerClient(service, { audience: 'taken' })
    const { databaseUrl, dataDir } = service.config
    if (databaseUrl === undefined) return t.comment('the embedded database is open here, and by nobody else')
    await t.rejects(startService(t, { DATABASE_URL: databaseUrl, DATA_DIR: dataDir, JWT_AUDIENCE: 'taken' }), { message: /^JWT_AUDIENCE is "taken", [^\n]+\.$/ })
  })

  t.test('is not issued for a malformed name', async t => {
    for (const audience of ['', 'a'.repeat(256), 'a\0', 7, null, ['cart']]) {
      const answer = await service.call('POST /auth/login', { json: { email, password, audience } })
      isProblem(t, answer, 'validation_failed', JSON.stringify(audience))
      t.strictSame(fieldsOf(answer), ['audience'])
    }
    const stateful = await service.call('POST /auth/login', { json: { email, password, audience: 'cart', deliver: 'session' } })
    isProblem(t, stateful, 'validation_failed', 'a stateful session has no token')
    t.strictSame(fieldsOf(stateful), ['audience'])
  })

  t.test('is signed with another key when its audience gets a new owner', async t => {
    const heir = await registerClient(service, { audience: 'gone' })
    const { accessToken } = (await logIn({ audience: 'gone' })).body
    t.equal(verifierOf(service, heir).verify(accessToken).id, person.user.id)
    await t.rejects(registerClient(service, { audience: 'gone' }), /Another client has the audience gone/)
    const versions = await service.sql<{ keyVersion: number }>('SELECT key_version AS "keyVersion" FROM clients WHERE audience = $1 ORDER BY created_at', 'gone')
    t.strictSame(versions.map(({ keyVersion }) => keyVersion), [1, 3])
  })
})
