/**
 * The feed said something that must not be passed over: a revocation that was not understood would be covered by the
 * next `sync`, and lost.
 */
export class FeedParseError extends Error {
  override readonly name = 'UnreadableFeed'

  /** @param what for example "a revocation" */
  constructor (what: string) {
    super(`The feed sent ${what} that cannot be read`)
  }
}
