import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { runInNewContext } from 'node:vm'
import t from 'tap'
import { createVerifier, type VerifierOptions } from 'countersign-verifier'
import { createTokenWriter } from '../support/hostile-tokens.ts'
import { CREDENTIALS, goodToken, ISSUER, OPTIONS, refusal, watched } from '../support/verifiers.ts'

const FEED = { url: 'http://127.0.0.1:1/revocations', ...CREDENTIALS }
const FOLLOWING = { revocations: FEED, onStale: 'reject', maxStaleness: 30 } as const

t.test('an option that is not good is refused by its name', async t => {
  const { privateKey } = generateKeyPairSync('ed25519')
  const bad: Array<[Record<string, unknown>, RegExp]> = [
    [{ issuer: undefined }, /^issuer /], [{ issuer: '' }, /^issuer /], [{ issuer: ['a', 'b'] }, /^issuer /], [{ issuer: /auth/ }, /^issuer /],
    [{ audience: undefined }, /^audience /], [{ audience: ['api'] }, /^audience /],
    [{ secret: undefined }, /^secret, keys or jwksUri /],
    [{ secret: 'short' }, /^secret: .*32 bytes/], [{ secret: '' }, /^secret: /], [{ secret: [] }, /^secret /], [{ secret: 1 }, /^secret: /],
    [{ secret: `${ISSUER.secret}, ${ISSUER.secret}` }, /^secret: .*white space/], [{ secret: `${ISSUER.secret},` }, /^secret: /],
    [{ secret: '-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA\n-----END PUBLIC KEY-----' }, /^secret: .*PEM/],
    [{ keys: [] }, /^keys /], [{ keys: {} }, /^keys /], [{ keys: null }, /^keys /], [{ keys: 'x' }, /^keys /], [{ keys: [{ kty: 'oct', k: 'x' }] }, /^keys: /],
    [{ keys: [privateKey.export({ format: 'jwk' })] }, /^keys: .*private/],
    [{ jwksUri: 'auth.example.com/jwks' }, /^jwksUri /], [{ jwksUri: 'file:///etc/passwd' }, /^jwksUri /], [{ jwksUri: 'https://a:b@auth.example.com/' }, /^jwksUri .*credentials/],
    [{ roles: [] }, /^roles /], [{ roles: 'admin' }, /^roles /], [{ roles: [1] }, /^roles /],
    [{ clockTolerance: -1 }, /^clockTolerance /], [{ clockTolerance: 61 }, /^clockTolerance /], [{ clockTolerance: NaN }, /^clockTolerance /], [{ clockTolerance: '5' }, /^clockTolerance /],
    [{ cacheSize: -1 }, /^cacheSize /], [{ cacheSize: Infinity }, /^cacheSize /],
    [{ clock: 5 }, /^clock /],
    [{ maxStaleness: 30 }, /^maxStaleness /], [{ onStale: 'reject' }, /^onStale /],
    [{ ...FOLLOWING, onStale: undefined }, /^onStale /], [{ ...FOLLOWING, onStale: 'ignore' }, /^onStale /],
    [{ ...FOLLOWING, maxStaleness: undefined }, /^maxStaleness /], [{ ...FOLLOWING, maxStaleness: 0 }, /^maxStaleness /], [{ ...FOLLOWING, maxStaleness: Infinity }, /^maxStaleness /], [{ ...FOLLOWING, maxStaleness: '30s' }, /^maxStaleness /],
    [{ ...FOLLOWING, revocations: true }, /^revocations /], [{ ...FOLLOWING, revocations: { ...FEED, url: 'x' } }, /^revocations\.url /],
    [{ ...FOLLOWING, revocations: { url: FEED.url } }, /^revocations\.clientId /], [{ ...FOLLOWING, revocations: { url: FEED.url, clientId: 'x' } }, /^revocations\.clientSecret /],
    [{ ...FOLLOWING, revocations: { url: FEED.url, token: 'x' } }, /^revocations\.token /], [{ ...FOLLOWING, revocations: { ...FEED, introspectionUrl: '/x' } }, /^revocations\.introspectionUrl /],
    [{ jwksUrl: 'https://auth.example.com' }, /^jwksUrl is not an option/]
  ]
  for (const [options, message] of bad) {
    t.throws(() => createVerifier({ ...OPTIONS, ...options } as VerifierOptions), { name: 'TypeError', message }, JSON.stringify(options))
  }
  t.notOk(String(t.throws(() => createVerifier({ ...OPTIONS, secret: 'sesame' }))).includes('sesame'), 'and a secret is not repeated')
})

// Where a test runner gives its files another global object, its URL is of another class.
t.test('a URL of another realm is taken as one of this', async t => {
  const url = runInNewContext("new (class { get [Symbol.toStringTag] () { return 'URL' } toString () { return 'http://127.0.0.1:1/revocations' } })()") as URL
  t.notOk(url instanceof URL)
  const verifier = createVerifier({ ...OPTIONS, ...FOLLOWING, revocations: { ...FEED, url } })
  verifier.close()
  t.throws(() => createVerifier({ ...OPTIONS, ...FOLLOWING, revocations: { ...FEED, url: { href: 'http://127.0.0.1:1/' } as URL } }), { message: /^revocations\.url / }, 'and what is no URL is not')
})

t.test('a ring of secrets: appended, promoted and dropped, and no good token refused', async t => {
  const [old, next] = [ISSUER.secret, randomBytes(48).toString('base64url')]
  const tokenOf = { old: goodToken(), next: createTokenWriter({ ...ISSUER, secret: next }).good(Date.now() / 1000) }
  const steps = [[old, ['old']], [`${old},${next}`, ['old', 'next']], [[next, old], ['old', 'next']], [next, ['next']]] as const
  for (const [secret, good] of steps) {
    const verifier = createVerifier({ ...OPTIONS, secret })
    for (const name of ['old', 'next'] as const) t.equal(refusal(() => verifier.verify(tokenOf[name])), good.some(key => key === name) ? undefined : 'unknown_key', `${name} with ${good}`)
  }
})

t.test('roles, clock, tolerance and cache are as they are told', async t => {
  const verifier = createVerifier({ ...OPTIONS, roles: ['editor'], clockTolerance: 0, cacheSize: 0, clock: () => 1_000_000_000_000 })
  t.equal(refusal(() => verifier.verify(goodToken({ iat: 1_000_000_000, exp: 1_000_000_100, role: 'editor' }))), undefined)
  t.equal(refusal(() => verifier.verify(goodToken({ iat: 1_000_000_000, exp: 1_000_000_100 }))), 'invalid_claims')
  t.equal(refusal(() => verifier.verify(goodToken({ iat: 1_000_000_000, nbf: 1_000_000_001, exp: 1_000_000_100, role: 'editor' }))), 'not_yet_valid')
})

t.test('warns when it accepted tokens, and then ten in a row have a key that it does not have: it was forgotten', async t => {
  const verifier = createVerifier(OPTIONS)
  const warnings: Error[] = []
  verifier.events.on('warning', warning => { warnings.push(warning) })
  const next = createTokenWriter({ ...ISSUER, secret: randomBytes(48).toString('base64url') }).good(Date.now() / 1000)
  const refuse = (times: number) => { for (let n = 0; n < times; n++) refusal(() => verifier.verify(next)) }
  verifier.verify(goodToken())
  refuse(9)
  verifier.verify(goodToken())
  refuse(9)
  t.strictSame(warnings, [], 'a stranger\'s tokens among good ones are none of its business')
  refuse(20)
  t.match(warnings, [{ code: 'settings', message: /forgotten/ }])
  t.equal(warnings.length, 1)
})

t.test('counts what it does', async t => {
  const verifier = createVerifier(OPTIONS)
  for (let index = 0; index < 3; index++) verifier.verify(goodToken())
  for (const token of ['x', 'y', goodToken({ exp: 1, iat: 0 })]) refusal(() => verifier.verify(token))
  t.match(verifier.counters, { accepted: 3, refused: { malformed: 2, expired: 1 } })
})

t.test('where all tokens are refused from the beginning, it says what is probably wrong, once', async t => {
  const hints: Array<[Partial<VerifierOptions>, RegExp]> = [
    [{ secret: randomBytes(48).toString('base64url') }, /secret, keys or jwksUri must be the service's/],
    [{ issuer: 'https://auth.example.com/' }, /issuer exactly its JWT_ISSUER \(here: https:\/\/auth\.example\.com\/\)/],
    [{ audience: 'billing' }, /not for the audience billing/]
  ]
  for (const [options, message] of hints) {
    const verifier = watched(t, createVerifier({ ...OPTIONS, ...options } as VerifierOptions))
    for (let index = 0; index < 3; index++) t.ok(refusal(() => verifier.verify(goodToken())))
    t.match(verifier.warnings, [{ name: 'CountersignWarning', code: 'settings', message }])
    t.equal(verifier.warnings.length, 1)
  }
  const right = watched(t, createVerifier(OPTIONS))
  right.verify(goodToken())
  refusal(() => right.verify(goodToken({ aud: 'billing' })))
  t.strictSame(right.warnings, [], 'one good token shows that the options are right')
})

t.test('a warning that nobody listens for is a warning of the process', async t => {
  const warned = once(process, 'warning')
  refusal(() => createVerifier({ ...OPTIONS, audience: 'billing' }).verify(goodToken()))
  t.match(await warned, [{ name: 'CountersignWarning', code: 'settings' }])
})

t.test('ready at once where there is nothing to wait for', async t => {
  const verifier = createVerifier(OPTIONS)
  await t.resolves(verifier.ready())
  t.equal(verifier.staleness(), 0)
  t.throws(() => verifier.policy({ onStale: 'accept' }), { name: 'TypeError', message: /without revocations/ })
})
