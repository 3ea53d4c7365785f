import { createHmac, randomBytes } from 'node:crypto'
import fc from 'fast-check'
import t from 'tap'
import { createSeal } from '../../src/tokens/seal.ts'

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
const CLAIMS = { iss: 'https://auth.example.com', aud: 'api', sub: 'ada', sid: 's', iat: 1, exp: 2, role: 'user', ver: 1, email: 'ada@example.com', email_verified: false }
const key = randomBytes(32)
const seal = createSeal([key])

function sealed (claims: Record<string, unknown>, { create } = seal): string {
  const payload = JSON.stringify(claims)
  return `${payload.slice(0, -1)},"jti":"${create(payload)}"}`
}

const claims = fc.dictionary(fc.string({ unit: 'binary', maxLength: 8 }), fc.jsonValue(), { minKeys: 1 })
  .filter(claims => !('jti' in claims))

t.test('a jti is 16 random bytes and half a MAC over all that stands before it', async t => {
  const payload = JSON.stringify(CLAIMS)
  const jti = seal.create(payload)
  const bytes = Buffer.from(jti, 'base64url')
  t.equal(bytes.length, 32)
  t.equal(bytes.toString('base64url'), jti)
  const random = bytes.toString('base64url', 0, 16)
  t.strictSame(bytes.subarray(16), createHmac('sha256', key).update(payload.slice(0, -1) + random).digest().subarray(0, 16))
  t.not(seal.create(payload).slice(0, 21), jti.slice(0, 21))
})

t.test('whatever is sealed is known again, and by its own service alone', async t => {
  const other = createSeal([randomBytes(32)])
  fc.assert(fc.property(claims, claims => seal.isSealed(sealed(claims)) && !other.isSealed(sealed(claims))))
  t.ok(seal.isSealed(sealed(CLAIMS)))
})

t.test('any claim changed, added or taken away breaks it', async t => {
  fc.assert(fc.property(claims, claims, (claims, changes) => {
    const jti = seal.create(JSON.stringify(claims))
    const changed = { ...claims, ...changes }
    return JSON.stringify(changed) === JSON.stringify(claims) || !seal.isSealed(JSON.stringify({ ...changed, jti }))
  }))
  for (const name of Object.keys(CLAIMS)) {
    const jti = seal.create(JSON.stringify(CLAIMS))
    t.ok(seal.isSealed(JSON.stringify({ ...CLAIMS, jti })))
    t.notOk(seal.isSealed(JSON.stringify({ ...CLAIMS, [name]: 'changed', jti })), `${name} changed`)
    t.notOk(seal.isSealed(JSON.stringify({ ...CLAIMS, [name]: undefined, jti })), `${name} taken away`)
    t.notOk(seal.isSealed(JSON.stringify({ ...CLAIMS, [`${name}2`]: 1, jti })), 'another added')
  }
})

t.test('any character changed breaks it, the jti\'s own last one included', async t => {
  const payload = sealed(CLAIMS)
  const accepted: string[] = []
  for (let at = 0; at < payload.length; at++) {
    const own = payload.charAt(at)
    for (const character of [...ALPHABET, '+', '/', '=', ' ', '"', '', own + own, String.fromCharCode(own.charCodeAt(0) + 0x100)]) {
      if (character !== own && seal.isSealed(payload.slice(0, at) + character + payload.slice(at + 1))) accepted.push(`${at}: ${character}`)
    }
  }
  t.strictSame(accepted, [])
})

t.test('the other alphabet is not ours', async t => {
  // One jti in a few has both characters in it.
  const payload = Array.from({ length: 200 }, () => sealed(CLAIMS)).find(payload => /"[^"]*-[^"]*_[^"]*"}$/.test(payload)) ?? ''
  t.ok(seal.isSealed(payload))
  for (const [own, other] of [['-', '+'], ['_', '/']] as const) {
    const at = payload.lastIndexOf(own)
    t.notOk(seal.isSealed(payload.slice(0, at) + other + payload.slice(at + 1)), other)
  }
})

t.test('a jti that is missing, elsewhere, twice, or not last is no seal', async t => {
  const payload = JSON.stringify(CLAIMS)
  const jti = seal.create(payload)
  const whole = sealed(CLAIMS)
  const refused = {
    'no jti': payload,
    first: JSON.stringify({ jti, ...CLAIMS }),
    'in the middle': JSON.stringify({ nonce: 1, jti, ...CLAIMS }),
    nested: JSON.stringify({ ...CLAIMS, nested: { jti } }),
    'in an array': JSON.stringify([{ ...CLAIMS, jti }]),
    'before white space': `${whole} `,
    'before white space in the object': `${whole.slice(0, -1)} }`,
    'after white space': whole.replace(',"jti"', ', "jti"'),
    'with white space': whole.replace('"jti":', '"jti": '),
    'as a key of another name': whole.replace('"jti"', '"jtj"'),
    'in capitals': whole.replace('"jti"', '"JTI"'),
    escaped: whole.replace('"jti"', '"\\u006ati"'),
    twice: whole.replace(/}$/, `,"jti":"${jti}"}`),
    'twice, the last one plain': whole.replace(/}$/, `,"jti":"${'A'.repeat(43)}"}`),
    nothing: '',
    'a brace': '}',
    'the member alone': `,"jti":"${jti}"}`,
    plain: JSON.stringify({ ...CLAIMS, jti: 'A'.repeat(43) }),
    short: JSON.stringify({ ...CLAIMS, jti: jti.slice(0, 42) }),
    long: JSON.stringify({ ...CLAIMS, jti: `${jti}A` }),
    'a number': JSON.stringify({ ...CLAIMS, jti: 1 })
  }
  for (const [name, text] of Object.entries(refused)) t.notOk(seal.isSealed(text), name)
})

t.test('a payload in which a claim says what the seal looks for is sealed as any other', async t => {
  const emails = ['","jti":"', `","jti":"${'A'.repeat(43)}"}`, '"}', '\\', '\\"', '🐎', '\ud83d', '\u2028']
  for (const [index, email] of emails.entries()) {
    const payload = sealed({ ...CLAIMS, email })
    t.ok(seal.isSealed(payload), `e-mail ${index}`)
    t.notOk(seal.isSealed(payload.replace('"role":"user"', '"role":"admin"')), `e-mail ${index}, and another role`)
  }
})

t.test('a ring: the first key seals, all of them are accepted', async t => {
  const [older, newer] = [randomBytes(32), randomBytes(32)]
  const ring = createSeal([newer, older])
  t.ok(ring.isSealed(sealed(CLAIMS, createSeal([older]))))
  t.ok(ring.isSealed(sealed(CLAIMS, ring)))
  t.ok(createSeal([newer]).isSealed(sealed(CLAIMS, ring)))
  t.notOk(createSeal([older]).isSealed(sealed(CLAIMS, ring)))
  t.notOk(ring.isSealed(sealed(CLAIMS)))
  const reversed = createSeal([older, newer])
  for (let round = 0; round < 3; round++) {
    for (const sealing of [older, newer]) t.ok(reversed.isSealed(sealed(CLAIMS, createSeal([sealing]))))
    t.notOk(reversed.isSealed(sealed(CLAIMS)))
  }
})

t.test('a seal needs a key', async t => {
  t.throws(() => createSeal([]), /needs a key/)
})
