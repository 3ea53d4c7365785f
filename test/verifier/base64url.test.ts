import fc from 'fast-check'
import t from 'tap'
import { decodeJson, decodePart } from '../../verifier/src/base64url.ts'
import { InvalidToken } from '../../verifier/src/errors.ts'
import { MAX_TOKEN_BYTES } from '../../verifier/src/limits.ts'

/** What the decoder should say, by the slow and certain way: `undefined` for a part that is not canonical. */
function reference (part: string): string | undefined {
  const bytes = Buffer.from(part, 'base64url')
  const isCanonical = /^[A-Za-z0-9_-]+$/.test(part) && bytes.toString('base64url') === part
  return isCanonical && part.length <= MAX_TOKEN_BYTES ? bytes.toString('utf8') : undefined
}

function decoded (part: string): string | undefined {
  try {
    return decodePart(part)
  } catch (error) {
    if (error instanceof InvalidToken && error.reason === 'malformed') return undefined
    throw error
  }
}

const AGREES = [
  ['the alphabet', fc.constantFrom(...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_')],
  ['the alphabet and its neighbours', fc.constantFrom(...'AQgwEIMz09-_+/= \t\n\0.,~éÿ')],
  ['characters that are valid in their lower eight bits', fc.constantFrom(...'AQgwz9-_ŁőţůǅȭɁ', '\ud841', '\udc67', '\uff41')],
  ['any code unit', fc.integer({ min: 0, max: 0xffff }).map(unit => String.fromCharCode(unit))]
] as const

for (const [name, unit] of AGREES) {
  t.test(`${name}: read if canonical, and refused otherwise`, async t => {
    fc.assert(fc.property(fc.string({ unit, maxLength: 40 }), part => decoded(part) === reference(part)), { numRuns: 3000 })
    t.equal(decoded(''), undefined)
  })
}

t.test('up to three characters, every one of them', async t => {
  const characters = [...'AQgwBEIMhxz059-_+/=. é', 'Ł', '\ud841']
  let differing = 0
  for (const a of ['', ...characters]) {
    for (const b of characters) {
      for (const c of characters) {
        for (const part of [a + b, a + b + c, `QUJD${a}${b}${c}`]) if (decoded(part) !== reference(part)) differing++
      }
    }
  }
  t.equal(differing, 0)
})

t.test('any text survives the way there and back', async t => {
  fc.assert(fc.property(fc.string({ unit: 'binary', minLength: 1, maxLength: 700 }), text =>
    decodePart(Buffer.from(text).toString('base64url')) === text))
  t.equal(decodePart('4pyTIMOgIGxhIG1vZGU'), '✓ à la mode')
})

t.test('a part is at most as long as a token', async t => {
  t.equal(decodePart('A'.repeat(MAX_TOKEN_BYTES)).length, MAX_TOKEN_BYTES * 3 / 4)
  t.equal(decoded('A'.repeat(MAX_TOKEN_BYTES + 2)), undefined)
  t.equal(decoded('A'.repeat(2 ** 20)), undefined)
})

t.test('what is not JSON is malformed', async t => {
  for (const text of ['', ' ', '{', '{"a":1,}', "{'a':1}", '\ufeff{}', 'undefined', 'NaN', '01', '{} {}', '\u00a0{}']) {
    t.throws(() => decodeJson(Buffer.from(text).toString('base64url')), { reason: 'malformed' }, JSON.stringify(text))
  }
  t.strictSame(decodeJson(Buffer.from('{"a":1,"a":2}').toString('base64url')), { a: 2 }, 'the last of two members wins')
})
