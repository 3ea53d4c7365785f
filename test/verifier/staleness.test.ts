import { text } from 'node:stream/consumers'
import t, { type Test } from 'tap'
import { createVerifier, type OnStale, type Verifier } from 'countersign-verifier'
import { SUBJECT } from '../support/hostile-tokens.ts'
import { startStandIn, type StandIn } from '../support/stand-in.ts'
import { until } from '../support/until.ts'
import { CREDENTIALS, follow, goodToken, lateRefusal, OPTIONS } from '../support/verifiers.ts'
import { faces } from './faces.ts'

const bearer = (token: string) => ({ authorization: `Bearer ${token}` })

/** A verifier that is stale, for the stand-in gives no feed. */
function stale (t: Test, service: StandIn, onStale: OnStale, options = {}): Verifier & { warnings: Error[] } {
  service.answer('/revocations', (_request, response) => response.writeHead(503, { 'retry-after': '60' }).end())
  return follow(t, service, { onStale, ...options })
}

for (const [name, start] of Object.entries(faces)) {
  t.test(`${name}, while nobody knows what was revoked of late`, async t => {
    const service = await startStandIn(t)

    t.test('rejects with 503 and when to come back, for the token may be good', async t => {
      const { call } = await start(t, { verifier: stale(t, service, 'reject') }, { other: { onStale: 'accept' } })
      const { status, headers, body } = await call('GET /mine', bearer(goodToken()))
      t.strictSame([status, body.code, headers['retry-after'], headers['www-authenticate']], [503, 'unavailable', '2', undefined])
      t.equal((await call('GET /mine', bearer('hostile'))).status, 401, 'a bad one is bad all the same')
      t.equal((await call('GET /mine')).status, 401)
      t.equal((await call('GET /other', bearer(goodToken()))).status, 200, 'a route may have a policy of its own')
    })

    t.test('accepts where it is told to', async t => {
      const { call } = await start(t, { verifier: stale(t, service, 'accept') }, { other: { onStale: 'reject' } })
      t.equal((await call('GET /mine', bearer(goodToken()))).status, 200)
      t.equal((await call('GET /other', bearer(goodToken()))).status, 503)
    })

    t.test('asks the service where it is told to', async t => {
      const { call } = await start(t, { verifier: stale(t, service, 'introspect') })
      service.active = true
      t.match(await call('GET /mine', bearer(goodToken())), { status: 200, body: { id: SUBJECT.sub } })
      service.active = false
      t.match(await call('GET /mine', bearer(goodToken({ sid: 'another' }))), { status: 401, body: { code: 'invalid_token' } })
      const before = service.asked['/oauth/introspect']
      t.equal((await call('GET /mine', bearer('hostile'))).status, 401)
      t.equal(service.asked['/oauth/introspect'], before, 'a bad token is nothing to ask about')
    })

    t.test('rejects where the service does not answer either', async t => {
      service.answer('/oauth/introspect', (_request, response) => response.destroy())
      t.teardown(() => service.answer('/oauth/introspect', undefined))
      const { call } = await start(t, { verifier: stale(t, service, 'introspect') })
      t.match(await call('GET /mine', bearer(goodToken())), { status: 503, body: { code: 'unavailable' } })
    })

    t.test('refuses a policy that is none', async t => {
      const verifier = stale(t, service, 'reject')
      for (const other of [{ onStale: 'maybe' as 'accept' }, { maxStaleness: 0 }, { maxStaleness: NaN }]) {
        await t.rejects(start(t, { verifier }, { other }), { name: 'TypeError', message: /^(onStale|maxStaleness) / })
      }
    })
  })
}

t.test('introspection', async t => {
  const service = await startStandIn(t)

  t.test('asks as RFC 7662 has it, by the client\'s credentials', async t => {
    let asked: unknown
    service.answer('/oauth/introspect', async (request, response) => {
      const { method, headers: { authorization, 'content-type': type } } = request
      asked = { method, authorization, type, form: Object.fromEntries(new URLSearchParams(await text(request))) }
      response.writeHead(200).end('{"active":true}')
    })
    t.teardown(() => service.answer('/oauth/introspect', undefined))
    const token = goodToken()
    await stale(t, service, 'introspect').authenticate(token)
    t.strictSame(asked, {
      method: 'POST',
      authorization: `Basic ${Buffer.from('client_shop:a+secret').toString('base64')}`,
      type: 'application/x-www-form-urlencoded',
      form: { token, token_type_hint: 'access_token' }
    })
  })

  t.test('a burst with one token asks once, and a good answer is good for a second at most', async t => {
    const verifier = stale(t, service, 'introspect')
    const token = goodToken()
    const before = service.asked['/oauth/introspect'] ?? 0
    await Promise.all(Array.from({ length: 50 }, () => verifier.authenticate(token)))
    await verifier.authenticate(token)
    t.equal((service.asked['/oauth/introspect'] ?? 0) - before, 1)
    service.active = false
    t.teardown(() => { service.active = true })
    const took = await until(async () => await lateRefusal(() => verifier.authenticate(token)) === 'revoked')
    t.ok(took < 2000, `${took} ms`)
  })

  t.test('a bad answer is not remembered, nor is it one of another token', async t => {
    const verifier = stale(t, service, 'introspect')
    const token = goodToken()
    service.active = false
    t.equal(await lateRefusal(() => verifier.authenticate(token)), 'revoked')
    service.active = true
    t.equal(await lateRefusal(() => verifier.authenticate(token)), undefined)
  })

  t.test('what is no answer says nothing for the token', async t => {
    const answers = [[500, '{"active":true}'], [401, '{"active":true}'], [302, ''], [200, 'null'], [200, '{"active":"true"}'], [200, '{}'], [200, 'no JSON'], [200, `{"active":true,"filler":"${'x'.repeat(100_000)}"}`]] as const
    for (const [status, body] of answers) {
      service.answer('/oauth/introspect', (_request, response) => response.writeHead(status, { location: '/jwks.json' }).end(body))
      const verifier = stale(t, service, 'introspect')
      t.equal(await lateRefusal(() => verifier.authenticate(goodToken())), 'stale', `${status} ${body.slice(0, 20)}`)
      t.match(verifier.counters, { introspections: 1, introspectionFailures: 1 })
      await until(() => verifier.warnings.length === 2)
      t.match(verifier.warnings.map(({ message }) => message).join('\n'), /Introspection at .* failed/)
    }
    service.answer('/oauth/introspect', undefined)
    t.equal(service.asked['/jwks.json'], undefined, 'nobody is followed elsewhere')
  })

  t.test('a service that hangs keeps the first waiting, and not everyone in turn', async t => {
    service.answer('/oauth/introspect', () => {})
    t.teardown(() => service.answer('/oauth/introspect', undefined))
    const verifier = stale(t, service, 'introspect')
    const began = performance.now()
    t.equal(await lateRefusal(() => verifier.authenticate(goodToken({ sid: 'first' }))), 'stale')
    t.ok(performance.now() - began < 3000)
    const later = performance.now()
    for (let index = 0; index < 100; index++) t.equal(await lateRefusal(() => verifier.authenticate(goodToken({ sid: `s${index}` }))), 'stale')
    t.ok(performance.now() - later < 900, 'all of them within the second that nobody is asked in')
    t.equal(verifier.counters.introspections, 1)
  })

  t.test('is not asked while the feed is fresh', async t => {
    service.answer('/revocations', undefined)
    const verifier = follow(t, service, { onStale: 'introspect' })
    const feed = await service.connected()
    feed.sync()
    await verifier.ready()
    await verifier.authenticate(goodToken())
    t.equal(verifier.counters.introspections, 0)
  })

  t.test('asks again where the connection that was kept had just been closed', async t => {
    const seen = new Set<unknown>()
    const open = new Set<unknown>()
    service.answer('/oauth/introspect', (request, response) => {
      const { socket } = request
      if (seen.has(socket)) return socket.destroy()
      seen.add(socket)
      open.add(socket)
      socket.once('close', () => open.delete(socket))
      response.writeHead(200).end('{"active":true}')
    })
    t.teardown(() => service.answer('/oauth/introspect', undefined))
    const verifier = stale(t, service, 'introspect')
    for (const sid of ['first', 'second', 'third']) t.equal(await lateRefusal(() => verifier.authenticate(goodToken({ sid }))), undefined, sid)
    t.match(verifier.counters, { introspections: 3, introspectionFailures: 0 })
    verifier.close()
    await until(() => open.size === 0)
  })

  t.test('asks where it is told to', async t => {
    service.answer('/elsewhere', (_request, response) => response.writeHead(200).end('{"active":true}'))
    service.answer('/revocations', (_request, response) => response.writeHead(503).end())
    const revocations = { url: service.url('/revocations'), introspectionUrl: service.url('/elsewhere'), ...CREDENTIALS }
    const verifier = createVerifier({ ...OPTIONS, revocations, onStale: 'introspect', maxStaleness: 30 })
    verifier.events.on('warning', () => {})
    t.teardown(verifier.close)
    await verifier.authenticate(goodToken())
    t.equal(service.asked['/elsewhere'], 1)
  })
})
