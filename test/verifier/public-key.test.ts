import { createHash, generateKeyPairSync, sign, type KeyObject } from 'node:crypto'
import fc from 'fast-check'
import t from 'tap'
import { createPublicKey, type PublicJwk } from 'countersign-verifier/internal'
import { forgeableKeys } from '../support/forgeable-keys.ts'
import { rsaKeyPair } from '../support/rsa-keys.ts'

const jwkOf = ({ publicKey }: { publicKey: KeyObject }): PublicJwk => publicKey.export({ format: 'jwk' }) as unknown as PublicJwk

const PAIRS = {
  EdDSA: generateKeyPairSync('ed25519'),
  ES256: generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  RS256: rsaKeyPair()
} as const

function signatureOf (alg: keyof typeof PAIRS, text: string): string {
  const key = PAIRS[alg].privateKey
  return sign(alg === 'EdDSA' ? null : 'sha256', Buffer.from(text), { key, dsaEncoding: 'ieee-p1363' }).toString('base64url')
}

for (const alg of ['EdDSA', 'ES256', 'RS256'] as const) {
  const jwk = jwkOf(PAIRS[alg])
  const key = createPublicKey(jwk, 'api')

  t.test(`${alg}: verifies what its key signed, and nothing else`, async t => {
    const text = 'header.payload'
    const signature = signatureOf(alg, text)
    t.ok(key.verify(`${text}.${signature}`, text.length, signature))
    t.notOk(key.verify(`${text}.${signature}`, text.length - 1, signature), 'another text')
    t.notOk(key.verify(`${text}.${signature}`, text.length, signatureOf(alg, 'header.payloads')), 'another signature')
    for (const other of ['EdDSA', 'ES256', 'RS256'] as const) {
      if (other !== alg) t.notOk(key.verify(text, text.length, signatureOf(other, text)), `a signature by ${other}`)
    }
  })

  t.test(`${alg}: of all spellings of a signature only the canonical one passes`, async t => {
    const text = 'header.payload'
    const signature = signatureOf(alg, text)
    const passes = (candidate: string) => key.verify(text, text.length, candidate)
    const next = (character: string) => String.fromCharCode(character.charCodeAt(0) + 1)
    const spellings = {
      'with padding': `${signature}==`,
      'with a character more': `${signature}A`,
      'with a space': `${signature} `,
      'cut off': signature.slice(0, -1),
      'with spare bits set': signature.slice(0, -1) + next(signature.slice(-1)),
      'valid in its lower eight bits': String.fromCharCode(signature.charCodeAt(0) + 0x100) + signature.slice(1),
      'with a line feed in it': `${signature.slice(0, 9)}\n${signature.slice(9)}`,
      nothing: ''
    }
    for (const [name, spelling] of Object.entries(spellings)) t.notOk(passes(spelling), name)
    t.ok(passes(signature))
    fc.assert(fc.property(fc.nat(signature.length - 1), fc.string({ unit: 'binary', minLength: 1, maxLength: 2 }), (at, text) => {
      const changed = signature.slice(0, at) + text + signature.slice(at + 1)
      return changed === signature || !passes(changed)
    }), { numRuns: 300 })
  })

  t.test(`${alg}: its kid is the thumbprint, or what is given`, async t => {
    const { kty, crv, x, y, e, n } = jwk
    const members = kty === 'RSA' ? { e, kty, n } : { crv, kty, x, ...y !== undefined && { y } }
    t.equal(key.kid, createHash('sha256').update(JSON.stringify(members)).digest('base64url'))
    t.equal(createPublicKey({ use: 'sig', ...jwk, alg }, 'api').kid, key.kid, 'of its own members alone')
    t.equal(createPublicKey({ ...jwk, kid: '2026-01' }, 'api').kid, '2026-01')
  })

  t.test(`${alg}: knows its algorithm, its audience and its header`, async t => {
    t.match(key, { alg, audience: 'api' })
    t.strictSame(JSON.parse(Buffer.from(key.header, 'base64url').toString()), { alg, typ: 'at+jwt', kid: key.kid })
    t.ok(key.header.endsWith('.'))
  })
}

t.test('an ES256 signature in DER is none', async t => {
  const der = sign('sha256', Buffer.from('a.b'), PAIRS.ES256.privateKey).toString('base64url')
  t.notOk(createPublicKey(jwkOf(PAIRS.ES256), 'api').verify('a.b', 3, der))
})

t.test('the thumbprint is RFC 7638\'s own', async t => {
  const n = '0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw'
  t.equal(createPublicKey({ kty: 'RSA', n, e: 'AQAB' }, 'api').kid, 'NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs')
})

t.test('a key that anybody can forge for is refused, in every form', async t => {
  for (const [name, { jwk }] of Object.entries(forgeableKeys())) t.throws(() => createPublicKey(jwk as PublicJwk, 'api'), { name: 'TypeError', message: /exponent|small order/ }, name)
})

// Whatever the encoding: the sign bit does not count, and y may be p or more.
t.test('no Ed25519 key has a small order', async t => {
  const p = 2n ** 255n - 19n
  const orderEight = BigInt('0x7a03ac9277fdc74ec6cc392cfa53202a0f67100d760b3cba4fd84d3d706a17c7')
  for (const y of [0n, 1n, p - 1n, p, p + 1n, orderEight, p - orderEight]) {
    for (const sign of [0n, 1n]) {
      const point = Buffer.from((y | sign << 255n).toString(16).padStart(64, '0'), 'hex').reverse()
      t.throws(() => createPublicKey({ kty: 'OKP', crv: 'Ed25519', x: point.toString('base64url') }, 'api'), { message: /small order/ }, point.toString('hex'))
    }
  }
  t.doesNotThrow(() => createPublicKey(jwkOf(PAIRS.EdDSA), 'api'))
})

t.test('what is no public key for signatures is refused, and says why', async t => {
  const ed = jwkOf(PAIRS.EdDSA)
  const rsa = jwkOf(PAIRS.RS256)
  const refused: Record<string, [unknown, RegExp]> = {
    'a private key': [PAIRS.EdDSA.privateKey.export({ format: 'jwk' }), /private/],
    'a shared secret': [{ kty: 'oct', k: 'A'.repeat(43) }, /Ed25519/],
    'another curve': [jwkOf(generateKeyPairSync('ec', { namedCurve: 'P-384' })), /Ed25519/],
    'a key for agreement': [jwkOf(generateKeyPairSync('x25519')), /Ed25519/],
    'a short RSA key': [jwkOf(generateKeyPairSync('rsa', { modulusLength: 1024 })), /2048/],
    'an RSA key that is beyond all bounds': [{ ...rsa, n: Buffer.alloc(2048, 0xff).toString('base64url') }, /8192/],
    'an RSA key with e = 1': [{ ...rsa, e: 'AQ' }, /exponent/],
    'an RSA key with e = 0': [{ ...rsa, e: 'AA' }, /exponent|valid/],
    'an RSA key with e = 3': [{ ...rsa, e: 'Aw' }, /exponent/],
    'an RSA key with an even e': [{ ...rsa, e: 'AQAA' }, /exponent/],
    'an RSA key with a huge e': [{ ...rsa, e: Buffer.alloc(255, 0xff).toString('base64url') }, /exponent/],
    'another algorithm for it': [{ ...rsa, alg: 'PS256' }, /RS256/],
    'HS256 with a public key': [{ ...rsa, alg: 'HS256' }, /RS256/],
    'a key for encryption': [{ ...rsa, use: 'enc' }, /signatures/],
    'a key for other operations': [{ ...ed, key_ops: ['sign'] }, /verifying/],
    'operations that are no list': [{ ...ed, key_ops: 'verify' }, /verifying/],
    'a point that is not on the curve': [{ ...jwkOf(PAIRS.ES256), y: 'A'.repeat(43) }, /valid/],
    'no point': [{ kty: 'OKP', crv: 'Ed25519' }, /valid/],
    'a kid that is a number': [{ ...ed, kid: 1 }, /kid/],
    'an empty kid': [{ ...ed, kid: '' }, /kid/],
    'a name of the prototype': [{ kty: 'constructor' }, /Ed25519/],
    'no kind': [{}, /Ed25519/],
    nothing: [undefined, /JWK/],
    null: [null, /JWK/],
    text: ['-----BEGIN PUBLIC KEY-----', /JWK/]
  }
  for (const [name, [jwk, message]] of Object.entries(refused)) {
    t.throws(() => createPublicKey(jwk as PublicJwk, 'api'), { name: 'TypeError', message }, name)
  }
})
