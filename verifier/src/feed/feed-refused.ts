import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import { retryAfter } from '../net/retry-after.ts'

/** The service gives no feed. */
export class FeedRefused extends Error {
  override readonly name = 'FeedRefused'
  readonly status: number
  readonly #headers: IncomingHttpHeaders

  constructor ({ statusCode = 0, headers }: IncomingMessage) {
    super(`The service answered ${statusCode} and gives no feed`)
    this.status = statusCode
    this.#headers = headers
  }

  /** Whether it is the credentials that the service refuses. */
  get isOfCredentials (): boolean {
    return this.status === 401 || this.status === 403
  }

  /** Milliseconds to wait at least before asking again. @param longest what to wait where only somebody's doing helps */
  wait (longest: number): number {
    return this.isOfCredentials ? longest : retryAfter(this.#headers, longest)
  }
}
