const LONE_SURROGATE = /\p{Surrogate}/u

/**
 * @returns whether a text can be encoded in UTF-8. A lone surrogate cannot: Node writes U+FFFD for each, so that different
 * texts would have the same hash.
 */
export function isWellFormed (text: string): boolean {
  return !LONE_SURROGATE.test(text)
}
