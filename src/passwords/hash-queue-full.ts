const LONGEST_RETRY_S = 29

/** No hash could be had in time: the queue was full, or the wait too long. Answered with 503 and `Retry-After`. */
export class HashQueueFull extends Error {
  override readonly name = 'HashQueueFull'
  /** When to come back, in whole seconds: 1 to 29. */
  readonly retryAfterSeconds: number

  /** @param maxWaitMs the longest wait: after it all who wait now have been served or refused */
  constructor (maxWaitMs: number) {
    super('Too many passwords are waiting to be hashed')
    this.retryAfterSeconds = Math.min(Math.max(Math.ceil(maxWaitMs / 1000), 1), LONGEST_RETRY_S)
  }
}
