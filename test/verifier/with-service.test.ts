import { generateKeyPairSync } from 'node:crypto'
import type { AddressInfo } from 'node:net'
import t, { type Test } from 'tap'
import { createVerifier, type Verifier, type VerifierOptions } from 'countersign-verifier'
import { generateSecret } from '../../src/config/generated-secrets.ts'
import { createTokenWriter } from '../support/hostile-tokens.ts'
import { freePort } from '../support/free-port.ts'
import { clientToken, headerOf, registerClient } from '../support/oauth.ts'
import { startService, type TestService } from '../support/service.ts'
import { until } from '../support/until.ts'
import { lateRefusal, refusal, watched } from '../support/verifiers.ts'

/** The service, listening, and the options of a verifier that follows it. */
async function startFollowed (t: Test, settings: Readonly<Record<string, string>> = {}) {
  const service = await startService(t, settings)
  await service.app.listen({ host: '127.0.0.1', port: 0 })
  const { port } = service.app.server.address() as AddressInfo
  const origin = `http://127.0.0.1:${port}`
  const client = await registerClient(service)
  return { service, origin, client, options: optionsOf(service, origin, client) }
}

function optionsOf ({ config }: TestService, origin: string, { id, secret }: { id: string, secret: string }) {
  return {
    issuer: config.issuer,
    audience: config.audience,
    secret: config.jwtSecrets,
    revocations: { url: `${origin}/revocations`, clientId: id, clientSecret: secret },
    onStale: 'reject',
    maxStaleness: 30
  } satisfies VerifierOptions
}

async function revokedWithin (verifier: Verifier, token: string): Promise<number> {
  return until(() => refusal(() => verifier.verify(token)) === 'revoked')
}

t.test('beside a real service', async t => {
  const { service, origin, client, options } = await startFollowed(t)

  t.test('a verifier knows who is asking, and within a moment who has logged out', async t => {
    const verifier = watched(t, createVerifier(options))
    await verifier.ready()
    t.ok(verifier.staleness() < 10_000)
    const ada = await service.person()
    t.match(verifier.verify(ada.accessToken), { id: ada.user.id, email: ada.email, role: 'user' })
    await service.call('POST /auth/logout', { token: ada.accessToken })
    const took = await revokedWithin(verifier, ada.accessToken)
    t.ok(took < 1000, `${took.toFixed(0)} ms`)
    t.strictSame(verifier.warnings, [])
  })

  t.test('what was revoked before it came, it knows when it is ready', async t => {
    const ada = await service.person()
    await service.call('POST /auth/logout', { token: ada.accessToken })
    const verifier = watched(t, createVerifier(options))
    await verifier.ready()
    t.equal(refusal(() => verifier.verify(ada.accessToken)), 'revoked')
  })

  t.test('follows by an access token too', async t => {
    const token = await clientToken(service, client, { scope: 'revocations:read' })
    const verifier = watched(t, createVerifier({ ...options, revocations: { url: `${origin}/revocations`, token: () => token } }))
    await verifier.ready()
    t.match(verifier.verifyClient(token), { id: client.id, scopes: ['revocations:read'] })
    t.equal(refusal(() => verifier.verify(token)), 'invalid_claims', 'a client is no user')
  })

  t.test('with a wrong secret it refuses everything, and says what is probably wrong', async t => {
    const verifier = watched(t, createVerifier({ ...options, secret: generateSecret() }))
    await verifier.ready()
    const ada = await service.person()
    t.equal(refusal(() => verifier.verify(ada.accessToken)), 'unknown_key')
    t.match(verifier.warnings, [{ code: 'settings', message: /secret/ }])
    t.match(verifier.counters, { accepted: 0, refused: { unknown_key: 1 } })
  })

  t.test('with a wrong audience likewise', async t => {
    const verifier = watched(t, createVerifier({ ...options, audience: 'billing' }))
    t.equal(refusal(() => verifier.verify('x')), 'malformed')
    const ada = await service.person()
    t.equal(refusal(() => verifier.verify(ada.accessToken)), 'wrong_audience')
    t.match(verifier.warnings, [{ code: 'settings', message: /audience billing/ }])
  })

  t.test('with wrong credentials it never is ready, goes stale, and says so', async t => {
    const verifier = watched(t, createVerifier({ ...options, revocations: { ...options.revocations, clientSecret: 'wrong' } }))
    await until(() => verifier.warnings.length > 0)
    t.match(verifier.warnings, [{ code: 'feed_refused', message: /credentials .*revocations:read/ }])
    const ada = await service.person()
    t.equal(refusal(() => verifier.verify(ada.accessToken)), 'stale')
    await t.rejects(verifier.ready({ signal: AbortSignal.timeout(50) }))
  })

  t.test('stale, it asks the service about a token', async t => {
    const revocations = { ...options.revocations, url: `${origin}/no-feed-here`, introspectionUrl: `${origin}/oauth/introspect` }
    const verifier = watched(t, createVerifier({ ...options, revocations, onStale: 'introspect' }))
    const ada = await service.person()
    t.match(await verifier.authenticate(ada.accessToken), { id: ada.user.id })
    await service.call('POST /auth/logout', { token: ada.accessToken })
    await until(async () => await lateRefusal(() => verifier.authenticate(ada.accessToken)) === 'revoked')
    t.equal(verifier.counters.introspectionFailures, 0)
  })

  t.test('a verifier for one audience can neither accept nor mint for another', async t => {
    const shop = await registerClient(service, { audience: 'shop' })
    const verifier = watched(t, createVerifier({ issuer: options.issuer, audience: 'shop', secret: shop.key }))
    const ada = await service.person()
    const forShop = (await service.call<{ accessToken: string }>('POST /auth/login', { json: { email: ada.email, password: ada.password, audience: 'shop' } })).body.accessToken
    t.match(verifier.verify(forShop), { id: ada.user.id })
    t.equal(refusal(() => verifier.verify(ada.accessToken)), 'unknown_key')
    const own = watched(t, createVerifier({ issuer: options.issuer, audience: options.audience, secret: options.secret }))
    t.equal(refusal(() => own.verify(forShop)), 'unknown_key')
    t.equal((await service.call('GET /auth/verify', { token: forShop })).status, 401, 'nor does the service take it for its own')
    const forged = createTokenWriter({ secret: shop.key, issuer: options.issuer, audience: options.audience }).good(Date.now() / 1000)
    t.equal(refusal(() => own.verify(forged)), 'unknown_key')
    t.equal((await service.call('GET /auth/verify', { token: forged })).status, 401)
  })
})

t.test('a verifier that was there before the service waits for it, and finds it again', async t => {
  const port = await freePort()
  const origin = `http://127.0.0.1:${port}`
  const settings = { JWT_SECRET: generateSecret(), PUBLIC_URL: origin }
  const service = await startService(t, settings)
  const options = optionsOf(service, origin, await registerClient(service))
  const ada = await service.person()

  const rejecting = watched(t, createVerifier(options))
  const accepting = watched(t, createVerifier({ ...options, onStale: 'accept' }))
  t.equal(refusal(() => rejecting.verify(ada.accessToken)), 'stale', 'the policy governs before the first sync too')
  t.match(accepting.verify(ada.accessToken), { id: ada.user.id })
  await until(() => rejecting.warnings.length > 0)
  t.match(rejecting.warnings, [{ code: 'feed_lost', message: /ECONNREFUSED/ }])

  await service.app.listen({ host: '127.0.0.1', port })
  await Promise.all([rejecting.ready(), accepting.ready()])
  t.match(rejecting.verify(ada.accessToken), { id: ada.user.id })
  await service.call('POST /auth/logout', { token: ada.accessToken })
  await Promise.all([revokedWithin(rejecting, ada.accessToken), revokedWithin(accepting, ada.accessToken)])

  const grace = await service.person()
  t.match(rejecting.verify(grace.accessToken), { id: grace.user.id })
  await service.app.close()
  t.equal(refusal(() => rejecting.verify(grace.accessToken)), undefined, 'what is fresh stays so for its time')
  await until(() => refusal(() => rejecting.verify(grace.accessToken, { maxStaleness: 1 })) === 'stale')
  t.equal(refusal(() => accepting.verify(grace.accessToken)), undefined)
  t.equal(refusal(() => accepting.verify(ada.accessToken)), 'revoked', 'what was known stays known')
})

t.test('by the service\'s JWK set, with no secret shared', async t => {
  const { privateKey } = generateKeyPairSync('ed25519')
  const settings = { JWT_ALGORITHM: 'EdDSA', JWT_PRIVATE_KEY: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() }
  const { service, origin, options: { secret: _none, ...options } } = await startFollowed(t, settings)
  const verifier = watched(t, createVerifier({ ...options, jwksUri: `${origin}/.well-known/jwks.json` }))
  await verifier.ready()
  const ada = await service.person()
  t.equal(headerOf(ada.accessToken).alg, 'EdDSA')
  t.match(verifier.verify(ada.accessToken), { id: ada.user.id })
  await service.call('POST /auth/logout', { token: ada.accessToken })
  t.ok(await revokedWithin(verifier, ada.accessToken) < 1000)
})
