import { generateKeyPairSync, sign, type KeyObject } from 'node:crypto'
import { once } from 'node:events'
import t, { type Test } from 'tap'
import { createVerifier } from 'countersign-verifier'
import { createPublicKey, type PublicJwk } from 'countersign-verifier/internal'
import { cacheLifetime } from '../../verifier/src/jwks/cache-lifetime.ts'
import { createTokenBucket } from '../../verifier/src/jwks/token-bucket.ts'
import { followJwks } from '../../verifier/src/jwks/follow-jwks.ts'
import { forgeableKeys } from '../support/forgeable-keys.ts'
import { rsaKeyPair } from '../support/rsa-keys.ts'
import { json, startStandIn, type StandIn } from '../support/stand-in.ts'
import { until } from '../support/until.ts'
import { goodToken, ISSUER, lateRefusal, OPTIONS, refusal, watched, writer } from '../support/verifiers.ts'

/** A key pair of an issuer, and tokens signed with it. */
function createSigner (alg: 'EdDSA' | 'ES256' | 'RS256' = 'EdDSA') {
  const { publicKey, privateKey } = alg === 'EdDSA'
    ? generateKeyPairSync('ed25519')
    : alg === 'ES256' ? generateKeyPairSync('ec', { namedCurve: 'P-256' }) : rsaKeyPair()
  const jwk = publicKey.export({ format: 'jwk' }) as unknown as PublicJwk
  const { kid } = createPublicKey(jwk, ISSUER.audience)

  function token (changes: Record<string, unknown> = {}, header: Record<string, unknown> = {}): string {
    const parts = [JSON.stringify({ alg, typ: 'at+jwt', kid, ...header }), writer.payload(Date.now() / 1000, changes)].map(text => Buffer.from(text).toString('base64url')).join('.')
    return `${parts}.${signText(alg, parts, privateKey)}`
  }
  return { alg, jwk: { ...jwk, kid, alg, use: 'sig' }, kid, token, publicKey }
}

function signText (alg: string, text: string, key: KeyObject): string {
  return sign(alg === 'EdDSA' ? null : 'sha256', Buffer.from(text), { key, dsaEncoding: 'ieee-p1363' }).toString('base64url')
}

/** A verifier by the stand-in's JWK set. */
function byJwks (t: Test, service: StandIn) {
  const { issuer, audience } = OPTIONS
  return watched(t, createVerifier({ issuer, audience, jwksUri: service.url('/jwks.json') }))
}

t.test('a verifier with a jwksUri', async t => {
  const service = await startStandIn(t)
  const signers = [createSigner('EdDSA'), createSigner('ES256'), createSigner('RS256')]
  service.jwks = { keys: signers.map(({ jwk }) => jwk) }

  t.test('verifies with every key of the set, each with its own algorithm', async t => {
    const verifier = byJwks(t, service)
    await verifier.ready()
    for (const { alg, token, kid } of signers) {
      t.equal(refusal(() => verifier.verify(token())), undefined, alg)
      for (const other of signers) {
        if (other.alg !== alg) t.equal(refusal(() => verifier.verify(token({}, { kid: other.kid, alg: other.alg }))), 'bad_signature', `${alg} as ${other.alg}`)
        if (other.alg !== alg) t.equal(refusal(() => verifier.verify(token({}, { alg: other.alg }))), 'wrong_algorithm')
      }
      t.equal(refusal(() => verifier.verify(token({ aud: 'billing' }))), 'wrong_audience')
      t.equal(refusal(() => verifier.verify(writer.write(writer.header({ kid }), writer.payload(Date.now() / 1000)))), 'wrong_algorithm', 'a public key is no shared secret')
    }
  })

  t.test('takes no shared secret from a public place, and passes over what is no key of its kind', async t => {
    const secret = { kty: 'oct', k: Buffer.from(ISSUER.secret).toString('base64url'), kid: writer.kid, alg: 'HS256' }
    const { jwk, token } = createSigner()
    service.jwks = { keys: [secret, null, 'x', { kty: 'EC', crv: 'P-521' }, { ...jwk, use: 'enc', kid: 'other' }, jwk, { ...createSigner().jwk, kid: jwk.kid }] }
    const verifier = byJwks(t, service)
    await verifier.ready()
    t.equal(refusal(() => verifier.verify(goodToken())), 'unknown_key')
    t.equal(refusal(() => verifier.verify(token())), undefined, 'the first key of a kid is the key')
  })

  t.test('takes no key that anybody can forge for', async t => {
    const claims = JSON.parse(writer.payload(Date.now() / 1000)) as Record<string, unknown>
    for (const [name, key] of Object.entries(forgeableKeys())) {
      service.jwks = { keys: [{ ...key.jwk, kid: 'forgeable', alg: key.alg }] }
      const verifier = byJwks(t, service)
      await verifier.ready()
      t.equal(refusal(() => verifier.verify(key.forge({ alg: key.alg, typ: 'at+jwt', kid: 'forgeable' }, claims))), 'unknown_key', name)
    }
  })

  t.test('before the set is known nobody can say, and nobody is told to log in again', async t => {
    service.answer('/jwks.json', () => {})
    t.teardown(() => service.answer('/jwks.json', undefined))
    const verifier = byJwks(t, service)
    t.equal(refusal(() => verifier.verify(createSigner().token())), 'keys_unknown')
    t.equal(refusal(() => verifier.verify('hostile')), 'malformed', 'a bad token is bad all the same')
  })

  t.test('a key that is new is fetched by whoever can wait, and known from then on', async t => {
    const [first, second] = [createSigner(), createSigner()]
    service.jwks = { keys: [first.jwk] }
    const verifier = byJwks(t, service)
    await verifier.ready()
    service.jwks = { keys: [first.jwk, second.jwk] }
    const before = service.asked['/jwks.json'] ?? 0
    const answers = await Promise.all(Array.from({ length: 50 }, () => lateRefusal(() => verifier.authenticate(second.token()))))
    t.strictSame(answers, Array(50).fill(undefined))
    t.equal((service.asked['/jwks.json'] ?? 0) - before, 1, 'one request for all of them')
    t.equal(refusal(() => verifier.verify(second.token())), undefined)
    t.equal(refusal(() => verifier.verify(first.token())), undefined)
    service.jwks = { keys: [second.jwk] }
    await lateRefusal(() => verifier.authenticate(createSigner().token()))
    t.equal(refusal(() => verifier.verify(first.token())), 'unknown_key', 'what is no longer in the set is no key')
  })

  t.test('a synchronous check of a new key is refused once, and has it fetched', async t => {
    const [first, second] = [createSigner(), createSigner()]
    service.jwks = { keys: [first.jwk] }
    const verifier = byJwks(t, service)
    await verifier.ready()
    service.jwks = { keys: [first.jwk, second.jwk] }
    const changed = once(verifier.events, 'keys')
    t.equal(refusal(() => verifier.verify(second.token())), 'unknown_key')
    t.strictSame(await changed, [[first.kid, second.kid]])
    t.equal(refusal(() => verifier.verify(second.token())), undefined)
  })

  t.test('unknown kids by the thousand fetch the set a few times, and no more', async t => {
    service.jwks = { keys: [createSigner().jwk] }
    const verifier = byJwks(t, service)
    await verifier.ready()
    const before = service.asked['/jwks.json'] ?? 0
    const token = (kid: string) => writer.write(writer.header({ kid, alg: 'EdDSA' }), writer.payload(Date.now() / 1000))
    const reasons = new Set<string | undefined>()
    for (let index = 0; index < 1000; index++) reasons.add(await lateRefusal(() => verifier.authenticate(token(`k${index}`))))
    t.strictSame([...reasons], ['unknown_key'])
    const fetched = (service.asked['/jwks.json'] ?? 0) - before
    t.ok(fetched >= 1 && fetched <= 6, `${fetched} fetches`)
  })

  t.test('while the set cannot be had, what is known stays', async t => {
    const signer = createSigner()
    service.jwks = { keys: [signer.jwk] }
    const verifier = byJwks(t, service)
    await verifier.ready()
    const outages: Array<Parameters<StandIn['answer']>[1]> = [
      (_request, response) => response.destroy(),
      (_request, response) => response.writeHead(500).end(),
      (_request, response) => response.writeHead(302, { location: service.url('/elsewhere') }).end(),
      (_request, response) => response.writeHead(304).end(),
      (_request, response) => response.writeHead(200).end('no JSON'),
      (_request, response) => json(response, { keys: 'none' }),
      (_request, response) => json(response, null),
      (_request, response) => json(response, { keys: [signer.jwk], filler: 'x'.repeat(300_000) })
    ]
    for (const outage of outages) {
      service.answer('/jwks.json', outage)
      const failures: Error[] = []
      const failing = followJwks({ url: new URL(service.url('/jwks.json')), audience: 'api', onKeys: () => {}, onFetch: () => {}, onSuccess: () => {}, onFailure: cause => failures.push(cause), firstWait: 2, longestWait: 4 })
      await until(() => failures.length > 1)
      failing.close()
      t.notOk(failing.isKnown, String(failures[0]))
      await lateRefusal(() => verifier.authenticate(createSigner().token()))
      t.equal(refusal(() => verifier.verify(signer.token())), undefined)
    }
    t.equal(service.asked['/elsewhere'], undefined, 'nobody is followed elsewhere')
    t.match(verifier.warnings, [{ code: 'jwks_failed' }], 'and is told once')
    service.answer('/jwks.json', undefined)
  })

  t.test('a set that has lost its last key takes every key back', async t => {
    const signer = createSigner()
    service.jwks = { keys: [signer.jwk] }
    for (const keys of [[], [{ kty: 'EC', crv: 'P-521' }]]) {
      service.jwks = { keys: [signer.jwk] }
      const verifier = byJwks(t, service)
      await verifier.ready()
      t.equal(refusal(() => verifier.verify(signer.token())), undefined)
      service.jwks = { keys }
      t.equal(await lateRefusal(() => verifier.authenticate(createSigner().token())), 'unknown_key')
      t.equal(refusal(() => verifier.verify(signer.token())), 'unknown_key', JSON.stringify(keys))
      t.match(verifier.warnings, [{ code: 'jwks_empty' }])
      t.equal(verifier.counters.jwksFailures, 0, 'it is an answer like any other')
    }
  })

  t.test('a set without a key is known, beside a secret and alone', async t => {
    service.jwks = { keys: [] }
    for (const secret of [ISSUER.secret, undefined]) {
      const { issuer, audience } = OPTIONS
      const verifier = watched(t, createVerifier({ issuer, audience, jwksUri: service.url('/jwks.json'), ...secret !== undefined && { secret } }))
      await verifier.ready()
      t.equal(refusal(() => verifier.verify(goodToken())), secret === undefined ? 'unknown_key' : undefined)
      t.equal(await lateRefusal(() => verifier.authenticate(createSigner().token())), 'unknown_key', 'which is 401, and not 503')
      t.equal(verifier.warnings.filter(({ code }) => code === 'jwks_empty').length, 1, 'and its operator is told once')
    }
  })

  t.test('is fetched again when its time is up, and asked whether it has changed', async t => {
    const [first, second] = [createSigner(), createSigner()]
    let keys = [first.jwk]
    const conditions: unknown[] = []
    service.answer('/changing.json', ({ headers }, response) => {
      const etag = `"${keys.length}"`
      conditions.push(headers['if-none-match'])
      if (headers['if-none-match'] === etag) response.writeHead(304, { etag, 'cache-control': 'max-age=0' }).end()
      else json(response, { keys }, { etag, 'cache-control': 'max-age=0' })
    })
    const told: number[] = []
    const jwks = followJwks({ url: new URL(service.url('/changing.json')), audience: 'api', onKeys: ({ length }) => told.push(length), onFetch: () => {}, onSuccess: () => {}, onFailure: () => {} })
    t.teardown(jwks.close)
    await until(() => told.length === 1)
    t.equal(await jwks.refresh(), false)
    keys = [first.jwk, second.jwk]
    t.equal(await jwks.refresh(), true)
    t.strictSame(conditions, [undefined, '"1"', '"1"'])
    t.strictSame(told, [1, 2], 'told when there is something new, and only then')
  })
})

t.test('an answer may be used for as long as its headers say, within bounds', async t => {
  const now = new Date().toUTCString()
  const table: Array<[Record<string, string>, number]> = [
    [{}, 300],
    [{ 'cache-control': 'public, max-age=600' }, 600],
    [{ 'cache-control': 'max-age=600', age: '100' }, 500],
    [{ 'cache-control': 'MAX-AGE="60"' }, 60],
    [{ 'cache-control': 's-maxage=60' }, 300],
    [{ 'cache-control': 'max-age=0' }, 15],
    [{ 'cache-control': 'no-store, max-age=600' }, 15],
    [{ 'cache-control': 'no-cache' }, 15],
    [{ 'cache-control': 'max-age=999999999' }, 86_400],
    [{ 'cache-control': 'max-age=-1' }, 300],
    [{ date: now, expires: new Date(Date.parse(now) + 120_000).toUTCString() }, 120],
    [{ date: now, expires: '0' }, 15],
    [{ expires: 'never' }, 15]
  ]
  for (const [headers, seconds] of table) t.equal(cacheLifetime(headers), seconds, JSON.stringify(headers))
})

t.test('an allowance is a burst, and then one in a while', async t => {
  let now = 0
  const isAllowed = createTokenBucket(3, 10, () => now)
  const times = () => Array.from({ length: 5 }, isAllowed).filter(Boolean).length
  t.equal(times(), 3)
  now = 9
  t.equal(times(), 0)
  now = 10
  t.equal(times(), 1)
  now = 25
  t.equal(times(), 1)
  now = 30
  t.equal(times(), 1, 'the half of the while before is not lost')
  now = 1e9
  t.equal(times(), 3)
})

t.test('keys and a secret at once, as while one is changed for the other', async t => {
  const signer = createSigner()
  for (const keys of [[signer.jwk], { keys: [signer.jwk] }]) {
    const verifier = watched(t, createVerifier({ ...OPTIONS, keys }))
    t.equal(refusal(() => verifier.verify(signer.token())), undefined)
    t.equal(refusal(() => verifier.verify(goodToken())), undefined)
    t.equal(refusal(() => verifier.verify(createSigner().token())), 'unknown_key')
  }
})
