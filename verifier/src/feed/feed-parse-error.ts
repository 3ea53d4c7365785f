/**
 * The feed sent something unreadable. It must not be skipped: the next `sync` would cover a revocation that was not
 * understood, and it would be lost.
 */
export class FeedParseError extends Error {
  override readonly name = 'FeedParseError'

  /** @param what for example "an invalid revocation" */
  constructor (what: string) {
    super(`The feed sent ${what}`)
  }
}
