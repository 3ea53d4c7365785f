import { domainToUnicode } from 'node:url'

const SHORTEST_WORD = 3
const LETTER = /\p{L}/u
const LETTERS = /[\p{L}\p{M}]+/gu
const PUNCTUATION = /[^\p{L}\p{N}]+/gu

/**
 * The words that somebody who knows an e-mail address, a name or a service would try first: each text whole and each of its
 * runs of letters, in lower case. Words of fewer than three characters are left out: too many good passwords contain them.
 */
export function guessableWords (...texts: readonly string[]): string[] {
  const words = texts.map(text => text.toLowerCase()).flatMap(text => [text, ...text.match(LETTERS) ?? []])
  return words.filter(word => word.length >= SHORTEST_WORD)
}

/** A name whose parts are run together, as in a host: some are too short to be words of their own. */
export function inOneWord (name: string): string {
  return name.replace(PUNCTUATION, '')
}

/** An e-mail address, its local part and its domain, as stored and as its owner writes it. */
export function partsOfEmail (email: string): string[] {
  const at = email.lastIndexOf('@')
  const [localPart, domain] = [email.slice(0, Math.max(at, 0)), email.slice(at + 1)]
  const written = domainToUnicode(domain)
  return [email, localPart, domain, ...written === domain ? [] : [`${localPart}@${written}`, written]]
}

/**
 * @returns whether a password is nothing but these words, one or several, with digits and punctuation around and between them.
 * Containing one is allowed: `ada` makes `Ada-1815!` weak, but not `adamantine claws`.
 */
export function isMadeOf (words: readonly string[], password: string): boolean {
  const lower = password.toLowerCase()
  if (!LETTER.test(lower)) return words.includes(lower.replace(PUNCTUATION, ''))

  // Every position where a sequence of words can end. The set grows during the iteration and has each position once.
  const ends = new Set([0])
  for (const end of ends) {
    if (end === lower.length) return true
    for (const word of words) if (lower.startsWith(word, end)) ends.add(end + word.length)
    const next = String.fromCodePoint(lower.codePointAt(end) ?? 0)
    if (!LETTER.test(next)) ends.add(end + next.length)
  }
  return false
}
