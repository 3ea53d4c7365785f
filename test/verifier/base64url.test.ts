import { isUtf8 } from 'node:buffer'
import fc from 'fast-check'
import t from 'tap'
import { InvalidToken } from 'countersign-verifier'
import { createTokenVerifier, MAX_TOKEN_BYTES, type VerificationKey } from 'countersign-verifier/internal'

// It takes any signature, so that what is seen of a token is how it was decoded.
const key: VerificationKey = { kid: 'k', alg: 'HS256', audience: 'api', header: 'header.', verify: () => true }
const LONGEST = MAX_TOKEN_BYTES - key.header.length - 2

/** The text that a token's payload is decoded to; `undefined` where it is malformed. */
function decoded (part: string): string | undefined {
  let text: string | undefined
  const isSealed = (payload: string) => {
    text = payload
    return false
  }
  try {
    createTokenVerifier({ issuer: 'i', audience: 'api', keys: [key], cacheBytes: 0, isSealed }).verify(`header.${part}.s`)
  } catch (error) {
    if (error instanceof InvalidToken && error.reason === (text === undefined ? 'malformed' : 'forged')) return text
    throw error
  }
}

/** What it should be decoded to, by the slow and certain way. */
function reference (part: string): string | undefined {
  const bytes = Buffer.from(part, 'base64url')
  return /^[A-Za-z0-9_-]+$/.test(part) && bytes.toString('base64url') === part && isUtf8(bytes) ? bytes.toString('utf8') : undefined
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
    decoded(Buffer.from(text).toString('base64url')) === text))
  t.equal(decoded('4pyTIMOgIGxhIG1vZGU'), '✓ à la mode')
  t.equal(decoded('A'.repeat(LONGEST - LONGEST % 4)), '\0'.repeat((LONGEST >> 2) * 3))
})

t.test('a header is read no less strictly', async t => {
  const verifier = createTokenVerifier({ issuer: 'i', audience: 'api', keys: [key] })
  const header = Buffer.from('{"alg":"HS256","typ":"at+jwt","kid":"k" }').toString('base64url')
  t.throws(() => verifier.verify(`${header}.e30.s`), new InvalidToken('invalid_claims'), 'read')
  for (const part of [`${header}=`, ` ${header}`, header.replace('e', 'ť'), header.replace('J', '\ud84a'), `${header}A`, `${header.slice(0, 5)}\n${header.slice(5)}`]) {
    t.throws(() => verifier.verify(`${part}.e30.s`), new InvalidToken('malformed'), JSON.stringify(part))
  }
})
