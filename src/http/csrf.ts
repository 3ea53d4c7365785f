import { createCsrfCheck, passesCsrfCheck, type CredentialRequest } from 'countersign-verifier/internal'
import { Problem } from '../errors.ts'
import type { Cookies } from './cookies.ts'

export type CsrfProtection = ReturnType<typeof createCsrfProtection>

/**
 * Protects requests that carry the service's cookies, or are about to set them, from CSRF.
 *
 * @param origins exact origins, including that of `PUBLIC_URL`
 */
export function createCsrfProtection ({ carriesCredential }: Pick<Cookies, 'carriesCredential'>, origins: readonly string[]) {
  return {
    /** Refuses an unsafe request with cookies from another site, or one that a gateway forwards. @throws Problem 403 */
    checkRequest: createCsrfCheck({ carriesCredential, origins, Problem }),
    /** Refuses a request from another site whose response would set cookies (login CSRF). @throws Problem 403 */
    checkLogin (request: CredentialRequest): void {
      // Without an origin and without cookies it is not from a browser, but from a native app or curl.
      if ((namesOrigin(request) || carriesCredential(request)) && !passesCsrfCheck(request, origins)) throw new Problem('cross_site_request')
    }
  }
}

function namesOrigin ({ headers }: CredentialRequest): boolean {
  return headers['sec-fetch-site'] !== undefined || headers.origin !== undefined
}
