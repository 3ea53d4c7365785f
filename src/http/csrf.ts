import { isSafeRequest, passesCsrfCheck, type RequestSource } from 'countersign-verifier/internal'
import { Problem } from '../errors.ts'
import type { Cookies } from './cookies.ts'

/** The cross-site rule for requests that carry, or are about to set, our cookies. */
export interface CsrfProtection {
  /** Refuses an unsafe request, or one that a gateway asks about, that carries our cookies from where it may not come. @throws Problem 403 */
  checkRequest (request: RequestSource): void
  /** Refuses a request whose answer would set cookies. @throws Problem 403 */
  checkLogin (request: RequestSource): void
}

/** @param origins exact origins, `PUBLIC_URL`'s own among them */
export function createCsrfProtection (cookies: Cookies, origins: readonly string[]): CsrfProtection {
  function assertAllowed (request: RequestSource): void {
    if (!passesCsrfCheck(request, origins)) throw new Problem('cross_site_request')
  }

  return {
    checkLogin (request) {
      // Whoever neither says where a request was begun nor brings our cookies is no browser: a native app, curl.
      if (saysWhence(request) || cookies.carriesCredential(request)) assertAllowed(request)
    },
    checkRequest (request) {
      if (!isSafeRequest(request) && cookies.carriesCredential(request)) assertAllowed(request)
    }
  }
}

function saysWhence ({ headers }: RequestSource): boolean {
  return headers['sec-fetch-site'] !== undefined || headers.origin !== undefined
}
