import { createHmac } from 'node:crypto'
import fc from 'fast-check'
import t from 'tap'
import { createHmacSha256, MAX_TOKEN_BYTES } from 'countersign-verifier/internal'

const nodes = (key: Uint8Array, text: string) => createHmac('sha256', key).update(text, 'utf8').digest('base64url')
const keys = fc.uint8Array({ maxLength: 200 })
// Lone surrogates included.
const texts = fc.array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 300 }).map(units => String.fromCharCode(...units))
const ascii = fc.string({ unit: 'binary-ascii', maxLength: 300 })

t.test('it is the HMAC that node has, for any key and text', async t => {
  fc.assert(fc.property(keys, fc.array(fc.oneof(texts, ascii), { maxLength: 5 }), (key, all) => {
    const { digest } = createHmacSha256(key)
    return all.every(text => digest(text) === nodes(key, text))
  }), { numRuns: 1000 })

  for (const length of [0, 1, 31, 32, 63, 64, 65, 128, 4096]) {
    const key = Buffer.alloc(length, 'key')
    t.equal(createHmacSha256(key).digest('text'), nodes(key, 'text'), `a key of ${length} bytes`)
  }
})

t.test('it is the HMAC that RFC 4231 has', async t => {
  const hex = (key: Buffer, text: string) => Buffer.from(createHmacSha256(key).digest(text), 'base64url').toString('hex')
  t.equal(hex(Buffer.alloc(20, 0x0b), 'Hi There'), 'b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7')
  t.equal(hex(Buffer.from('Jefe'), 'what do ya want for nothing?'), '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843')
  t.equal(hex(Buffer.alloc(131, 0xaa), 'Test Using Larger Than Block-Size Key - Hash Key First'), '60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54')
})

t.test('a text may be of any length', async t => {
  const key = Buffer.alloc(32, 7)
  const { digest } = createHmacSha256(key)
  for (const character of ['x', 'é', '✓', '🐎', '\ud83d']) {
    for (const length of [MAX_TOKEN_BYTES - 1, MAX_TOKEN_BYTES, MAX_TOKEN_BYTES + 1, MAX_TOKEN_BYTES * 3, MAX_TOKEN_BYTES * 3 + 1, 100_000]) {
      const text = character.repeat(length)
      t.equal(digest(text), nodes(key, text), `${length} of ${JSON.stringify(character)}`)
    }
  }
  t.equal(digest('short again'), nodes(key, 'short again'))
})

t.test('keys do not disturb each other, nor does what becomes of their bytes', async t => {
  const bytes = Buffer.alloc(48, 1)
  const first = createHmacSha256(bytes)
  const second = createHmacSha256(Buffer.alloc(48, 2))
  const [one, two] = [nodes(Buffer.alloc(48, 1), 'text'), nodes(Buffer.alloc(48, 2), 'text')]
  bytes.fill(9)
  for (let round = 0; round < 3; round++) {
    t.equal(first.digest('text'), one)
    t.equal(second.digest('text'), two)
    t.ok(first.matches('text', 4, one))
    t.notOk(second.matches('text', 4, one))
  }
})

t.test('only the signature itself matches, in its one spelling', async t => {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_+/=. \n\0éŁ'
  const hmac = createHmacSha256(Buffer.alloc(32, 7))
  const signature = hmac.digest('signed')
  t.ok(hmac.matches('signed', 6, signature))
  t.ok(hmac.matches('signed and more', 6, signature), 'the first six characters are signed')
  t.notOk(hmac.matches('signed and more', 7, signature))

  const accepted = [...signature].flatMap((own, at) =>
    [...alphabet, String.fromCharCode(own.charCodeAt(0) + 0x100)].filter(character =>
      character !== own && hmac.matches('signed', 6, signature.slice(0, at) + character + signature.slice(at + 1))))
  t.strictSame(accepted, [])

  for (const other of ['', signature.slice(1), `${signature}=`, `${signature}A`, ` ${signature}`, signature.toUpperCase(), Buffer.from(signature, 'base64url').toString('hex')]) {
    t.notOk(hmac.matches('signed', 6, other), other)
  }
})

t.test('any text matches its own HMAC alone', async t => {
  fc.assert(fc.property(keys, texts, texts, (key, text, other) => {
    const { matches } = createHmacSha256(key)
    const same = Buffer.from(text).equals(Buffer.from(other))
    return matches(text + other, text.length, nodes(key, text)) === Buffer.from((text + other).slice(0, text.length)).equals(Buffer.from(text)) &&
      matches(text, text.length, nodes(key, other)) === same
  }))
  fc.assert(fc.property(keys, ascii, fc.string({ unit: 'binary' }), (key, text, signature) => !createHmacSha256(key).matches(text, text.length, signature)))
  t.notOk(createHmacSha256(Buffer.alloc(32)).matches('', 0, ''))
})
