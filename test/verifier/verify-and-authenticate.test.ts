import t from 'tap'
import { createVerifier, InvalidToken } from 'countersign-verifier'
import { startStandIn } from '../support/stand-in.ts'
import { follow, goodToken, lateRefusal, OPTIONS, refusal, watched } from '../support/verifiers.ts'

const CLIENT = { sub: 'client_x', client_id: 'client_x', sid: undefined, role: undefined }

t.test('verify and verifyLocally return at once, authenticate returns a promise, accepted or refused', async t => {
  const verifier = createVerifier(OPTIONS)
  const [token, clientToken] = [goodToken(), goodToken(CLIENT)]
  t.strictSame(verifier.verify(token), verifier.verifyLocally(token))
  t.strictSame(verifier.verifyClient(clientToken), verifier.verifyClientLocally(clientToken))
  for (const promise of [verifier.authenticate(token), verifier.authenticateClient(clientToken)]) t.type(promise, Promise)
  t.strictSame(await verifier.authenticate(token), verifier.verify(token))
  t.strictSame(await verifier.authenticateClient(clientToken), verifier.verifyClient(clientToken))

  for (const bad of ['hostile', goodToken({ aud: 'billing' })]) {
    t.throws(() => verifier.verify(bad), InvalidToken)
    t.throws(() => verifier.verifyLocally(bad), InvalidToken)
    t.throws(() => verifier.verifyClientLocally(bad), InvalidToken)
    await t.rejects(verifier.authenticate(bad), InvalidToken)
    await t.rejects(verifier.authenticateClient(bad), InvalidToken)
  }
})

t.test('verifyLocally leaves to authenticate what only the service can decide, and counts it once', async t => {
  const service = await startStandIn(t)

  t.test('a token while revocations are stale, with onStale "introspect"', async t => {
    service.answer('/revocations', (_request, response) => response.writeHead(503, { 'retry-after': '60' }).end())
    service.active = true
    const verifier = follow(t, service, { onStale: 'introspect' })
    t.equal(verifier.verifyLocally(goodToken()), undefined)
    t.equal(verifier.verifyClientLocally(goodToken(CLIENT)), undefined)
    t.match(verifier.counters, { accepted: 0, introspections: 0 })
    t.strictSame(verifier.counters.refused, {})
    t.equal(await lateRefusal(() => verifier.authenticate(goodToken())), undefined)
    t.match(verifier.counters, { accepted: 1, introspections: 1 })
    t.equal(refusal(() => verifier.verifyLocally(goodToken(), { onStale: 'reject' })), 'stale', 'nobody is to be asked')
    t.equal(refusal(() => verifier.verifyLocally('hostile')), 'malformed', 'the service could not change it')
    t.strictSame(verifier.counters.refused, { stale: 1, malformed: 1 })
  })

  t.test('a token with an unknown key, where there is a JWK set', async t => {
    const { issuer, audience } = OPTIONS
    service.jwks = { keys: [] }
    const byJwks = watched(t, createVerifier({ issuer, audience, jwksUri: service.url('/jwks.json') }))
    await byJwks.ready()
    t.equal(byJwks.verifyLocally(goodToken()), undefined)
    t.strictSame(byJwks.counters.refused, {})
    t.equal(await lateRefusal(() => byJwks.authenticate(goodToken())), 'unknown_key')
    t.strictSame(byJwks.counters.refused, { unknown_key: 1 })

    const bySecret = watched(t, createVerifier({ ...OPTIONS, secret: 'x'.repeat(32) }))
    t.equal(refusal(() => bySecret.verifyLocally(goodToken())), 'unknown_key', 'there is nothing to fetch')
  })
})
