/** The languages of mails and pages. The first is for everybody else. */
export const LOCALES = ['en', 'de', 'fr'] as const

export type Locale = typeof LOCALES[number]

const LONGEST = 500
const RANGE = /^\s*([a-z]{1,8}(?:-[a-z0-9]{1,8})*|\*)\s*(?:;\s*q\s*=\s*(0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?)\s*)?$/i

export function isLocale (text: unknown): text is Locale {
  return LOCALES.some(locale => locale === text)
}

/**
 * Chooses a language by `Accept-Language` (RFC 9110 §12.5.4) as RFC 4647 §3.4 looks one up: `de-CH` is served with `de`. Ranges
 * that are malformed count as absent.
 *
 * @returns `undefined` where none of ours is asked for
 */
export function negotiateLocale (header: string | undefined): Locale | undefined {
  const ranges = (header ?? '').slice(0, LONGEST).split(',').flatMap(range => {
    const [, tag = '', quality = '1'] = RANGE.exec(range) ?? []
    const locale = tag === '*' ? LOCALES[0] : LOCALES.find(known => known === tag.toLowerCase().split('-')[0])
    return locale === undefined ? [] : [{ locale, quality: Number(quality) }]
  })
  const [best] = ranges.filter(({ quality }) => quality > 0).sort((a, b) => b.quality - a.quality)
  return best?.locale
}
