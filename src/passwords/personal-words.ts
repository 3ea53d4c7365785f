const SHORTEST_WORD = 3
const LETTER = /\p{L}/u
const LETTERS = /[\p{L}\p{M}]+/gu
const PUNCTUATION = /[^\p{L}\p{N}]+/gu

/**
 * The words somebody who knows an e-mail address, a name or a service would try first: each text whole and each of its
 * runs of letters, in lower case. What has fewer than three characters is left out: it is in too many good passwords.
 */
export function guessableWords (...texts: readonly string[]): string[] {
  const words = texts.map(text => text.toLowerCase()).flatMap(text => [text, ...text.match(LETTERS) ?? []])
  return words.filter(word => word.length >= SHORTEST_WORD)
}

/** The texts within an e-mail address: the address, its local part and its domain. */
export function partsOfEmail (email: string): string[] {
  const at = email.lastIndexOf('@')
  return [email, email.slice(0, Math.max(at, 0)), email.slice(at + 1)]
}

/**
 * Whether a password is nothing but these words, one or several, with digits and punctuation around and between them.
 * A password that merely contains one is not: `ada` spoils `Ada-1815!`, and leaves `adamantine claws` alone.
 */
export function isMadeOf (words: readonly string[], password: string): boolean {
  const lower = password.toLowerCase()
  if (!LETTER.test(lower)) return words.includes(lower.replace(PUNCTUATION, ''))

  // Every place a sequence of words can end; the set grows while it is walked, and visits no place twice.
  const ends = new Set([0])
  for (const end of ends) {
    if (end === lower.length) return true
    for (const word of words) if (lower.startsWith(word, end)) ends.add(end + word.length)
    const next = String.fromCodePoint(lower.codePointAt(end) ?? 0)
    if (!LETTER.test(next)) ends.add(end + next.length)
  }
  return false
}
