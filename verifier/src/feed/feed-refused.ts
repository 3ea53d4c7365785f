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

/** @returns the milliseconds of `Retry-After` (RFC 9110 §10.2.3), at most `longest`; 0 without one */
function retryAfter ({ 'retry-after': value = '', date = '' }: IncomingHttpHeaders, longest: number): number {
  // A date counts from the response's own: this machine's clock may be off.
  const wait = /^\d{1,9}$/.test(value) ? Number(value) * 1000 : Date.parse(value) - Date.parse(date)
  return wait > 0 ? Math.min(wait, longest) : 0
}
