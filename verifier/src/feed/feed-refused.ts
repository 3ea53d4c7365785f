import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'

/** The service did not answer with a feed. */
export class FeedRefused extends Error {
  override readonly name = 'FeedRefused'
  readonly status: number
  readonly #headers: IncomingHttpHeaders

  constructor ({ statusCode = 0, headers }: IncomingMessage) {
    super(`The service answered with status ${statusCode} and no feed`)
    this.status = statusCode
    this.#headers = headers
  }

  /** Whether the service refuses the credentials. */
  get isUnauthorized (): boolean {
    return this.status === 401 || this.status === 403
  }

  /** Milliseconds to wait at least before the next attempt. @param longest the wait for refused credentials, and the maximum */
  wait (longest: number): number {
    return this.isUnauthorized ? longest : retryAfter(this.#headers, longest)
  }
}

/** @returns the milliseconds of `Retry-After` (RFC 9110 §10.2.3, in seconds), at most `longest`; 0 without one */
function retryAfter ({ 'retry-after': seconds }: IncomingHttpHeaders, longest: number): number {
  return seconds !== undefined && /^\d{1,9}$/.test(seconds) ? Math.min(Number(seconds) * 1000, longest) : 0
}
