import { createHmac, randomBytes } from 'node:crypto'
import fc from 'fast-check'
import t from 'tap'
import { createSeal } from '../../src/tokens/seal.ts'
import { InvalidToken, type Role } from 'countersign-verifier'
import { createHmacKey, createTokenVerifier, type TokenVerifierOptions } from 'countersign-verifier/internal'
import { createTokenWriter, SUBJECT, type TokenIssuer } from '../support/hostile-tokens.ts'

const NOW = 1_800_000_000
const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
const api: TokenIssuer = { secret: randomBytes(48).toString('base64url'), issuer: 'https://auth.example.com', audience: 'api' }
const key = createHmacKey(api.secret, api.issuer, api.audience)
const writer = createTokenWriter(api)

function verifierOf<R extends string = Role> (options: Partial<TokenVerifierOptions<R>> = {}) {
  return createTokenVerifier<R>({ issuer: api.issuer, audience: api.audience, keys: [key], clock: () => NOW * 1000, ...options })
}

/** Why a token is refused, `undefined` where it is not. Anything thrown that is no refusal is thrown on. */
function refusal (verify: () => unknown): string | undefined {
  try {
    verify()
  } catch (error) {
    if (error instanceof InvalidToken) return error.reason
    throw error
  }
}

t.test('a good token says who is asking', async t => {
  t.strictSame(verifierOf().verify(writer.good(NOW)), {
    id: SUBJECT.sub,
    email: SUBJECT.email,
    emailVerified: true,
    role: 'user',
    sessionId: SUBJECT.sid,
    clientId: 'countersign',
    scopes: [],
    tokenId: 'A'.repeat(43),
    issuedAt: '2027-01-15T08:00:00.000Z',
    expiresAt: '2027-01-15T08:10:00.000Z',
    credential: 'bearer'
  })
  const bare = writer.good(NOW, { email: undefined, email_verified: undefined, client_id: undefined, ver: undefined, role: 'admin' })
  t.match(verifierOf().verify(bare, 'cookie'), { email: null, emailVerified: false, clientId: null, role: 'admin', credential: 'cookie' })
})

t.test('a claim that came twice, the last wins', async t => {
  const twice = writer.write(writer.header(), `{"sub":"mallory","role":"admin","email_verified":false,${writer.payload(NOW).slice(1)}`)
  t.match(verifierOf().verify(twice), { id: SUBJECT.sub, role: 'user', emailVerified: true })
  const otherWay = writer.write(writer.header(), writer.payload(NOW).replace(/}$/, ',"sub":"grace","role":"admin"}'))
  t.match(verifierOf().verify(otherWay), { id: 'grace', role: 'admin' })
})

t.test('the principal is frozen through and through, and nobody can change it for the next', async t => {
  const verifier = verifierOf()
  const token = writer.good(NOW)
  for (const credential of ['bearer', 'cookie'] as const) {
    const principal = verifier.verify(token, credential)
    for (const [name, value] of Object.entries(principal)) t.ok(Object.isFrozen(value), name)
    t.ok(Object.isFrozen(principal))
    t.throws(() => Object.assign(principal, { role: 'admin' }), TypeError)
    t.throws(() => Object.assign(principal, { isAdmin: true }), TypeError)
    t.throws(() => Object.assign(principal.scopes, ['everything']), TypeError)
    t.strictSame(verifier.verify(token, credential), principal)
  }
})

t.test('one character of a good token changed: refused', async t => {
  const verifier = verifierOf()
  const token = writer.good(NOW)
  verifier.verify(token)

  const accepted: string[] = []
  for (let at = 0; at < token.length; at++) {
    const own = token.charAt(at)
    for (const character of [...ALPHABET, ...'.+/= \n\0é', '', own + own, String.fromCharCode(own.charCodeAt(0) + 0x100), String.fromCharCode(own.charCodeAt(0) + 0xd800)]) {
      if (character !== own && refusal(() => verifier.verify(token.slice(0, at) + character + token.slice(at + 1))) === undefined) accepted.push(`${at}: ${character}`)
    }
  }
  t.strictSame(accepted, [])

  fc.assert(fc.property(fc.nat(token.length), fc.nat(4), fc.string({ unit: 'binary', minLength: 1 }), (at, length, text) => {
    const changed = token.slice(0, at) + text + token.slice(at + length)
    return changed === token || refusal(() => verifier.verify(changed)) !== undefined
  }))
})

t.test('one character of a sealed payload changed, and signed with the shared secret: refused', async t => {
  const seal = createSeal([randomBytes(32)])
  const verifier = verifierOf({ isSealed: seal.isSealed })
  const token = createTokenWriter({ ...api, seal: seal.create }).good(NOW)
  const [header = '', payload = ''] = token.split('.')
  verifier.verify(token)

  const accepted: string[] = []
  for (let at = 0; at < payload.length; at++) {
    const own = payload.charAt(at)
    for (const character of [...ALPHABET, '+', '/', '=', ' ', String.fromCharCode(own.charCodeAt(0) + 0x100)]) {
      const changed = writer.sign(header, payload.slice(0, at) + character + payload.slice(at + 1))
      if (character !== own && refusal(() => verifier.verify(changed)) === undefined) accepted.push(`${at}: ${character}`)
    }
  }
  t.strictSame(accepted, [])
})

t.test('whatever comes, nothing but a refusal is thrown', async t => {
  const verifier = verifierOf()
  const codeUnits = fc.array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 200 }).map(units => String.fromCharCode(...units))
  const anyText = fc.oneof(fc.string({ unit: 'binary', maxLength: 300 }), codeUnits, fc.array(fc.string({ unit: fc.constantFrom(...ALPHABET), maxLength: 100 }), { maxLength: 6 }).map(parts => parts.join('.')))
  fc.assert(fc.property(anyText, token => refusal(() => verifier.verify(token)) !== undefined), { numRuns: 2000 })

  const signed = fc.tuple(fc.oneof(fc.constant(writer.header()), fc.json(), codeUnits), fc.oneof(fc.json(), codeUnits)).map(([header, payload]) => writer.write(header, payload))
  fc.assert(fc.property(signed, token => refusal(() => verifier.verify(token)) !== undefined), { numRuns: 1000 })

  for (const token of [undefined, null, 0, true, NaN, 1n, Symbol('token'), {}, [], [writer.good(NOW)], Buffer.from(writer.good(NOW)), () => writer.good(NOW), Object(writer.good(NOW))]) {
    t.equal(refusal(() => verifier.verify(token as string)), 'malformed', String(typeof token))
  }
})

t.test('a claim may be of any kind: accepted as it is, or refused', async t => {
  const verifier = verifierOf({ cacheBytes: 0 })
  const names = fc.constantFrom('iss', 'aud', 'sub', 'sid', 'jti', 'iat', 'exp', 'nbf', 'role', 'ver', 'email', 'email_verified', 'client_id', 'scope', '__proto__', 'constructor', 'toString')
  const values = fc.oneof(fc.jsonValue(), fc.constantFrom('', 'user', 'admin', NOW, NOW + 1, NOW + 0.5, -1, 0, 2 ** 53, true, null))
  fc.assert(fc.property(fc.dictionary(names, values, { maxKeys: 4 }), changes => {
    const token = writer.good(NOW, changes)
    if (refusal(() => verifier.verify(token)) !== undefined) return true
    const { id, sessionId, role, email, issuedAt, expiresAt } = verifier.verify(token)
    return id === (changes.sub ?? SUBJECT.sub) && sessionId === (changes.sid ?? SUBJECT.sid) && role === (changes.role ?? 'user') &&
      email === (changes.email ?? SUBJECT.email) && Date.parse(expiresAt) - Date.parse(issuedAt) <= 3_600_000 && Date.parse(expiresAt) > (NOW - 5) * 1000
  }), { numRuns: 2000 })
  t.match(verifier.verify(writer.good(NOW, { sub: 'ada' })), { id: 'ada' })
})

t.test('clocks may differ by five seconds, and by a minute where a token is of the future', async t => {
  let now = NOW
  const verifier = verifierOf({ clock: () => now * 1000, cacheBytes: 0 })
  const token = writer.good(NOW)
  const at = (seconds: number, candidate = token) => {
    now = seconds
    return refusal(() => verifier.verify(candidate))
  }

  t.equal(at(NOW - 4), undefined, 'iat in 4 s')
  t.equal(at(NOW - 10), undefined, 'iat in 10 s')
  t.equal(at(NOW - 60), undefined, 'iat in a minute')
  t.equal(at(NOW - 60.001), 'not_yet_valid')
  t.equal(at(NOW - 61), 'not_yet_valid', 'iat in 61 s')
  t.equal(at(NOW + 600), undefined, 'exp now')
  t.equal(at(NOW + 604), undefined, 'exp 4 s ago')
  t.equal(at(NOW + 604.999), undefined)
  t.equal(at(NOW + 605), 'expired')
  t.equal(at(NOW + 606), 'expired', 'exp 6 s ago')

  const later = writer.good(NOW, { nbf: NOW + 60 })
  t.equal(at(NOW + 56, later), undefined, 'nbf in 4 s')
  t.equal(at(NOW + 54, later), 'not_yet_valid', 'nbf in 6 s')
})

t.test('the tolerance is configurable, within what the ledger of revocations allows', async t => {
  const token = writer.good(NOW)
  const with_ = (clockTolerance: number, now: number) => refusal(() => verifierOf({ clockTolerance, clock: () => now * 1000 }).verify(token))
  t.equal(with_(0, NOW + 599.9), undefined)
  t.equal(with_(0, NOW + 600), 'expired')
  t.equal(with_(0, NOW - 60), undefined, 'but for iat')
  t.equal(with_(60, NOW + 659), undefined)
  t.equal(with_(60, NOW - 60), undefined)
  for (const clockTolerance of [NaN, Infinity, -1, -Infinity, 61, 300, '5', null]) {
    t.throws(() => verifierOf({ clockTolerance: clockTolerance as number }), { name: 'RangeError', message: /clockTolerance/ }, String(clockTolerance))
  }
})

t.test('a clock that tells no time lets nobody in', async t => {
  for (const time of [NaN, undefined]) {
    t.ok(refusal(() => verifierOf({ clock: () => time as number }).verify(writer.good(NOW))), String(time))
  }
  let now = NOW
  const verifier = verifierOf({ clock: () => now * 1000 })
  verifier.verify(writer.good(NOW))
  now = NaN
  t.equal(refusal(() => verifier.verify(writer.good(NOW))), 'expired', 'remembered or not')
})

t.test('a token may live an hour, and no longer', async t => {
  const verifier = verifierOf()
  t.equal(refusal(() => verifier.verify(writer.good(NOW, { exp: NOW + 3600 }))), undefined)
  t.equal(refusal(() => verifier.verify(writer.good(NOW, { exp: NOW + 3601 }))), 'too_long_lived')
  t.equal(refusal(() => verifier.verify(writer.good(NOW, { iat: NOW - 3000, exp: NOW + 600 }))), undefined)
  t.equal(refusal(() => verifier.verify(writer.good(NOW, { iat: NOW - 3001, exp: NOW + 600 }))), 'too_long_lived')
})

t.test('the roles are what they are said to be', async t => {
  const verifier = verifierOf({ roles: ['editor'] })
  t.match(verifier.verify(writer.good(NOW, { role: 'editor' })), { role: 'editor' })
  t.equal(refusal(() => verifier.verify(writer.good(NOW))), 'invalid_claims')
})

t.test('several keys of one audience: each verifies what it signed', async t => {
  const ring = ['first', 'second', 'third'].map(() => ({ ...api, secret: randomBytes(48).toString('base64url') }))
  const keys = ring.map(({ secret }) => createHmacKey(secret, api.issuer, 'api'))
  const verifier = verifierOf({ keys })
  const writers = ring.map(createTokenWriter)
  for (const { good, write, header, payload } of writers) {
    t.equal(refusal(() => verifier.verify(good(NOW))), undefined)
    t.equal(refusal(() => verifier.verify(write(` ${header()}`, payload(NOW)))), undefined, 'with a header of another spelling')
    for (const { kid } of writers.filter(writer => writer.good !== good)) {
      t.equal(refusal(() => verifier.verify(write(header({ kid }), payload(NOW)))), 'bad_signature', 'under the kid of another')
    }
  }
  t.equal(refusal(() => verifier.verify(writer.good(NOW))), 'unknown_key')
})

t.test('keys of several audiences: none signs for the audience of another', async t => {
  const billing: TokenIssuer = { ...api, secret: randomBytes(48).toString('base64url'), audience: 'billing' }
  const keys = [key, createHmacKey(billing.secret, api.issuer, 'billing')]
  const forApi = verifierOf({ keys })
  const forBilling = verifierOf({ keys, audience: 'billing' })
  const billingWriter = createTokenWriter(billing)

  t.equal(refusal(() => forApi.verify(writer.good(NOW))), undefined)
  t.equal(refusal(() => forBilling.verify(billingWriter.good(NOW))), undefined)
  t.equal(refusal(() => forApi.verify(billingWriter.good(NOW))), 'wrong_audience')
  t.equal(refusal(() => forBilling.verify(writer.good(NOW))), 'wrong_audience')
  t.equal(refusal(() => forApi.verify(billingWriter.good(NOW, { aud: 'api' }))), 'wrong_audience', 'a service with a key of its own forges for itself alone')
  t.equal(refusal(() => forBilling.verify(writer.good(NOW, { aud: 'billing' }))), 'wrong_audience')
})

t.test('a kid is one issuer\'s: the same secret elsewhere opens nothing', async t => {
  const elsewhere = createTokenWriter({ ...api, issuer: 'https://other.example.com' })
  t.equal(refusal(() => verifierOf().verify(elsewhere.good(NOW, { iss: api.issuer }))), 'unknown_key')
})

t.test('the seal is asked for the payload as it is written, before its claims are believed', async t => {
  const asked: string[] = []
  const verifier = verifierOf({ isSealed: payload => asked.push(payload) === 0 })
  t.equal(refusal(() => verifier.verify(writer.good(NOW, { iss: 'https://attacker.example' }))), 'forged')
  t.strictSame(asked, [writer.payload(NOW, { iss: 'https://attacker.example' })])
  t.equal(refusal(() => verifier.verify(`${writer.good(NOW).slice(0, -1)}?`)), 'bad_signature')
  t.equal(asked.length, 1, 'and not for what is not even signed')
})

t.test('a refusal costs no stack, and leaves the limit as it was', async t => {
  const limit = Error.stackTraceLimit
  try {
    verifierOf().verify('hostile')
  } catch (error) {
    t.notMatch((error as Error).stack, /\n\s+at /)
  }
  t.equal(Error.stackTraceLimit, limit)
})

t.test('each credential has its own answer', async t => {
  const verifier = verifierOf()
  const token = writer.good(NOW)
  const order = ['cookie', 'bearer', 'cookie', 'bearer'] as const
  t.strictSame(order.map(credential => verifier.verify(token, credential).credential), order)
})

t.test('a token that another library signed is verified', async t => {
  const { default: jsonwebtoken } = await import('jsonwebtoken')
  const { iat, exp, ...claims } = JSON.parse(writer.payload(NOW)) as Record<string, unknown>
  const token = jsonwebtoken.sign({ ...claims, iat, exp }, api.secret, { keyid: key.kid, header: { alg: 'HS256', typ: 'at+jwt' } })
  t.match(verifierOf().verify(token), { id: SUBJECT.sub })
  t.match(jsonwebtoken.verify(writer.good(NOW), api.secret, { clockTimestamp: NOW }), { sub: SUBJECT.sub })
  t.equal(createHmac('sha256', api.secret).update(token.slice(0, token.lastIndexOf('.'))).digest('base64url'), token.slice(token.lastIndexOf('.') + 1))
})
