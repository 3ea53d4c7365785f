const LONE_SURROGATE = /\p{Surrogate}/u

/**
 * Whether a text has an encoding in UTF-8. A lone surrogate has none: Node writes U+FFFD for each, so that texts which
 * differ would hash alike.
 */
export function isWellFormed (text: string): boolean {
  return !LONE_SURROGATE.test(text)
}
