import type { CredentialRequest } from './guard/identify.ts'
import type { ProblemClass } from './guard/problem.ts'

const SAFE_METHODS = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE'])
// Sent by any sandboxed page (RFC 6454 §7.3), and a wildcard of CORS: neither names an origin.
const NO_ORIGINS = new Set(['null', '*'])

/** @param method an HTTP method; @returns whether it only reads (RFC 9110 §9.2.1) */
export function isSafeMethod (method: string): boolean {
  return SAFE_METHODS.has(method)
}

/**
 * Whether a request only reads: its own method is safe, and so is the one that a gateway forwards. A WebSocket handshake is
 * a GET, but the page that began it can write to the connection, and no browser applies CORS to it (RFC 6455 §10.2).
 *
 * The gateway's headers are trusted from any client: they can only make the check stricter.
 */
export function isSafeRequest ({ method = '', headers }: CredentialRequest): boolean {
  return isSafeMethod(method) && isSafeForwarded(headers['x-forwarded-method']) &&
    !namesWebSocket(headers.upgrade) && !namesWebSocket(headers['x-forwarded-upgrade'])
}

// A list, or a header that was sent twice, is not a safe method.
function isSafeForwarded (method: string | string[] | undefined): boolean {
  return method === undefined || (typeof method === 'string' && isSafeMethod(method.toUpperCase()))
}

/** Whether an Upgrade header names WebSocket among its protocols, which may have versions (RFC 9110 §7.8). */
function namesWebSocket (upgrade: string | string[] | undefined): boolean {
  return upgrade !== undefined && /(?:^|,)[ \t]*websocket[ \t]*(?:[,/]|$)/i.test(String(upgrade))
}

/**
 * The CSRF check: whether a request that carries or sets cookies comes from an allowed origin.
 *
 * A browser names the origin by `Sec-Fetch-Site` or at least by `Origin`, which no page can forge. A client that sends
 * neither is not a browser, or a very old one: it has to send `X-Countersign: 1`, which a cross-site form cannot.
 *
 * @param origins the exact origins that are allowed besides the service's own pages
 */
export function passesCsrfCheck ({ headers }: CredentialRequest, origins: readonly string[]): boolean {
  const site = headers['sec-fetch-site']
  const origin = headers.origin
  if (site === 'same-origin' || site === 'none') return true
  if (origin !== undefined) return typeof origin === 'string' && !NO_ORIGINS.has(origin) && origins.includes(origin)
  return site === undefined && headers['x-countersign'] === '1'
}

export interface CsrfCheckDeps<Refusal extends Error> {
  /** Whether a request has a cookie that identifies. */
  carriesCredential (request: CredentialRequest): boolean
  /** Exact origins. */
  origins: readonly string[]
  Problem: ProblemClass<Refusal>
}

/** @returns the CSRF check of unsafe requests that carry a credential in a cookie; it throws `cross_site_request` */
export function createCsrfCheck<Refusal extends Error> ({ carriesCredential, origins, Problem }: CsrfCheckDeps<Refusal>): (request: CredentialRequest) => void {
  return request => {
    if (!isSafeRequest(request) && carriesCredential(request) && !passesCsrfCheck(request, origins)) throw new Problem('cross_site_request')
  }
}
