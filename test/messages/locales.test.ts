import fc from 'fast-check'
import t from 'tap'
import { formatInstant } from '../../src/messages/format.ts'
import { isLocale, negotiateLocale } from '../../src/messages/locales.ts'

t.test('the language that is preferred is chosen, by its first part', async t => {
  const cases: Record<string, string | undefined> = {
    de: 'de',
    'de-CH': 'de',
    'DE-ch-1996': 'de',
    'fr-CA, fr;q=0.9, en;q=0.8': 'fr',
    'it, de;q=0.5, fr;q=0.7': 'fr',
    'en;q=0.1, de;q=0.2': 'de',
    'de;q=0, fr;q=0.1': 'fr',
    'de , fr': 'de',
    'de;q=1.000': 'de',
    'de ; q = 0.3, fr;q=0.4': 'fr',
    '*': 'en',
    'it, *;q=0.5': 'en',
    'fr;q=0.5, *;q=0.4': 'fr'
  }
  for (const [header, locale] of Object.entries(cases)) t.equal(negotiateLocale(header), locale, header)
})

t.test('what is malformed, or no language of ours, counts as absent', async t => {
  for (const header of [undefined, '', 'it', 'ja-JP', ',', ';;', 'de;q', 'de;q=2', 'de;q=-1', 'de;q=0.1234', 'de;level=1', 'd€', 'de_CH', 'deutsch', 'x'.repeat(100_000), '-', 'de-', '\0', 'de;q=NaN', '__proto__', 'constructor']) {
    t.equal(negotiateLocale(header), undefined, String(header).slice(0, 20))
  }
  t.equal(negotiateLocale('de_CH, q=1, ???, fr;q=0.2'), 'fr')
})

t.test('whatever comes, nothing is thrown, and a language of ours or none is chosen', async t => {
  const piece = fc.oneof(fc.constantFrom('de', 'fr-FR', 'en', '*', ';q=', '0.5', ',', '-', ' '), fc.string())
  fc.assert(fc.property(fc.array(piece, { maxLength: 30 }), pieces => {
    const locale = negotiateLocale(pieces.join(''))
    return locale === undefined || isLocale(locale)
  }), { numRuns: 500 })
  t.notOk(isLocale('it'))
})

t.test('times are written in UTC, in the words of the language', async t => {
  const at = '2026-03-01T23:59:00.000Z'
  t.match(formatInstant('en', at), /^March 1, 2026.* 11:59\sPM UTC$/)
  t.match(formatInstant('de', at), /^1\. März 2026.* 23:59 UTC$/)
  t.match(formatInstant('fr', at), /^1 mars 2026.* 23:59 UTC$/)
})
