import fc from 'fast-check'
import t from 'tap'
import { hasCookie, readCookie } from 'countersign-verifier/internal'

class Ambiguous extends Error {
  override readonly name = 'Ambiguous'
}

/** The values as RFC 6265 §5.4 has them: pairs between semicolons, each a name and a value. */
function bySplitting (header: string, name: string): string[] {
  return header.split(';').flatMap(pair => {
    const sign = pair.indexOf('=')
    return sign !== -1 && pair.slice(0, sign).trim() === name ? [pair.slice(sign + 1).trim()] : []
  })
}

t.test('a cookie is read wherever it is in the header, and nothing else is taken for it', t => {
  const header = fc.array(fc.constantFrom('access', 'access=', '=', ';', '; ', ' ', '\t', 'x', '__Host-', 'access2=', 'ACCESS=', 'x=access'), { maxLength: 12 }).map(parts => parts.join(''))
  fc.assert(fc.property(header, header => {
    const values = bySplitting(header, 'access')
    t.equal(hasCookie(header, ['refresh', 'access']), values.length > 0, header)
    if (values.length > 1) t.throws(() => readCookie(header, 'access', Ambiguous), { name: 'Ambiguous' }, header)
    else t.equal(readCookie(header, 'access', Ambiguous), values[0], header)
  }), { numRuns: 500 })
  t.end()
})
