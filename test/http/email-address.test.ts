import { domainToASCII, domainToUnicode } from 'node:url'
import fc from 'fast-check'
import t, { type Test } from 'tap'
import { formerSpelling, isEmailAddress, normaliseEmail } from '../../src/http/email-address.ts'

const UNFIT = /[\p{C}\p{Default_Ignorable_Code_Point}]/u

const fitting = fc.integer({ min: 0, max: 0x10FFFF }).filter(code => code < 0xD800 || code > 0xDFFF).map(code => String.fromCodePoint(code)).filter(character => !UNFIT.test(character))
const text = fc.oneof(fc.string({ unit: 'binary' }), fc.string({ unit: 'grapheme' }), fc.tuple(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' })).map(parts => parts.join('@')))
/** A label as people write it, and its A-label. */
const label = fc.string({ unit: fc.oneof(fc.constantFrom(...'abcäöüéñçłøž'), fc.constantFrom(...'书店商城網路'), fc.constantFrom(...'почтамир')), minLength: 1, maxLength: 8 })
  .map(written => ({ written, ascii: domainToASCII(written) })).filter(({ written, ascii }) => ascii !== '' && domainToUnicode(ascii) === written)

function check<Values> (t: Test, property: fc.IProperty<Values>, numRuns = 500): void {
  const { failed, counterexample } = fc.check(property, { numRuns })
  t.equal(failed, false, JSON.stringify(counterexample) ?? '')
}

t.test('normalising an address', async t => {
  t.test('never fails, and changes nothing the second time', async t => {
    check(t, fc.property(text, written => normaliseEmail(normaliseEmail(written)) === normaliseEmail(written)), 2000)
    t.equal(normaliseEmail('\u0130\u0323@example.com'), normaliseEmail('\u0130\u0323@example.com').normalize('NFKC'))
  })

  t.test('gives one address for a domain in A-labels and in U-labels, in any case and composition', async t => {
    check(t, fc.property(label, label, (first, second) => {
      const expected = `ada@${first.ascii}.${second.ascii}.example`
      const spellings = [`${first.written}.${second.written}`, `${first.ascii}.${second.written}`, `${first.ascii}.${second.ascii}`.toUpperCase(), `${first.written}.${second.written}`.normalize('NFD')]
      return spellings.every(domain => normaliseEmail(` Ada@${domain}.Example`) === expected && isEmailAddress(`Ada@${domain}.Example`)) &&
        formerSpelling(expected) === `ada@${first.written}.${second.written}.example`
    }))
  })

  t.test('and the former spelling of an address is the same address, whatever it is made of', async t => {
    const isSame = (written: string) => {
      const email = normaliseEmail(written)
      const former = formerSpelling(email)
      return former === email || normaliseEmail(former) === email
    }
    const domain = fc.array(fc.oneof(label.map(({ ascii }) => ascii), fc.constantFrom('1', '0x7f', 'com/x', 'com?x', 'com#x', 'gmail%2ecom', 'ex:80', 'xn--a', 'xn--', '%', 'EXAMPLE'), fc.string({ maxLength: 6 })), { minLength: 1, maxLength: 4 })
    check(t, fc.property(fc.oneof(text, domain.map(labels => `ada@${labels.join('.')}`)), isSame), 3000)
    for (const written of ['ada@example%2ecom', 'ada@1.example.com', 'ada@example.com/x', 'ada@0x7f.example']) t.equal(formerSpelling(written), written)
  })

  t.test('takes only what is a label for one: no path, port, query, percent-encoding or number is read as part of a URL', async t => {
    for (const domain of ['mail.example/ü.example', 'mail.example?ü.example', 'mail.example#ü.example', 'm%61il.example', 'mä%69l.example', 'mail.example:80', '1.2.3.4', '127.1', '0x7f.1', '[::1]', 'user@mail.example', 'mäil\\x.example', 'xn--a.example', 'xn--.example', 'xn--mail-.example']) {
      t.equal(normaliseEmail(`ada@${domain}`), `ada@${domain}`)
      t.equal(isEmailAddress(`ada@${domain}`), false, domain)
    }
  })
})

t.test('an e-mail address', async t => {
  t.test('is one in its normalised form too, with a domain of A-labels', async t => {
    check(t, fc.property(fc.oneof(text, fc.tuple(fc.string({ unit: fitting, minLength: 1, maxLength: 12 }), fc.string({ unit: fitting, minLength: 1, maxLength: 12 })).map(([local, domain]) => `${local}@${domain}.example`)), written => {
      if (!isEmailAddress(written)) return true
      const email = normaliseEmail(written)
      return isEmailAddress(email) && /^[^@]+@[a-z0-9.-]+$/.test(email) && normaliseEmail(formerSpelling(email)) === email
    }), 3000)
  })

  t.test('has no format, private-use, unassigned, control, surrogate or ignorable character anywhere', async t => {
    const accepted: string[] = []
    for (let code = 0; code <= 0x10FFFF; code++) {
      const character = String.fromCodePoint(code)
      // Control characters at the ends are white space: a pasted line break.
      // Of those that are assigned to nothing, or for private use, there are a million.
      if (!UNFIT.test(character) || (/[\p{Cn}\p{Co}]/u.test(character) && code % 97 !== 0)) continue
      for (const written of [`a${character}da@example.com`, `ada@ex${character}ample.com`]) if (isEmailAddress(written)) accepted.push(code.toString(16))
      if (!/\p{Cc}/u.test(character)) for (const written of [`${character}ada@example.com`, `ada@example.com${character}`]) if (isEmailAddress(written)) accepted.push(code.toString(16))
    }
    t.strictSame(accepted, [])
  })

  t.test('is as long as mail systems take, in octets', async t => {
    const domain = `${'b'.repeat(63)}.${'c'.repeat(63)}.${'d'.repeat(57)}.com`
    t.equal(isEmailAddress(`${'a'.repeat(64)}@${domain}`), true)
    t.equal(Buffer.byteLength(`${'a'.repeat(64)}@${domain}`), 254)
    for (const email of [`${'a'.repeat(64)}@e${domain}`, `${'a'.repeat(65)}@example.com`, `${'ä'.repeat(33)}@example.com`, `ada@${'b'.repeat(64)}.com`, `ada@${'ü'.repeat(60)}.com`]) t.equal(isEmailAddress(email), false, email)
    t.equal(isEmailAddress(`${'ä'.repeat(32)}@example.com`), true)
  })

  t.test('has one @, a dotted name behind it, and nothing that has to be quoted', async t => {
    for (const email of ['ada@example.com', 'ada+tag@mail.example.co.uk', "o'brien@example.com", 'jürgen@bücher.example', 'почта@пример.рф', 'ada@xn--80akhbyknj4f.xn--p1ai', 'a@b.cd']) t.equal(isEmailAddress(email), true, email)
    for (const email of ['', '@', 'ada', 'ada@', '@example.com', 'ada@example', 'a@b@example.com', 'a da@example.com', 'ada@exam ple.com', '.ada@example.com', 'ada.@example.com', 'a..da@example.com', '"ada"@example.com', 'ada@-example.com', 'ada@example-.com', 'ada@example..com', 'ada@example.com.', 'ada@my_host.example', 'ada@example.1']) t.equal(isEmailAddress(email), false, email)
  })
})
