/** What the cross-site rule looks at: header names in lower case, as node has them. */
export interface RequestSource {
  method: string
  headers: Readonly<Record<string, string | string[] | undefined>>
}

const SAFE_METHODS = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE'])
// What any sandboxed page sends (RFC 6454 §7.3), and what only CORS knows.
const NO_ORIGINS = new Set(['null', '*'])

/** @param method an HTTP method; @returns whether it only reads (RFC 9110 §9.2.1) */
export function isSafeMethod (method: string): boolean {
  return SAFE_METHODS.has(method)
}

/**
 * Whether a request only reads: its own method is safe, and so is the one that a gateway asks about. A WebSocket handshake
 * is a GET, and opens what the page that began it can then write to; no browser holds it to CORS (RFC 6455 §10.2).
 *
 * What a gateway says is believed from anybody: it can only make the rule stricter.
 */
export function isSafeRequest ({ method, headers }: RequestSource): boolean {
  return isSafeMethod(method) && isSafeForwarded(headers['x-forwarded-method']) &&
    !namesWebSocket(headers.upgrade) && !namesWebSocket(headers['x-forwarded-upgrade'])
}

// A list, or a header that came twice, is no safe method.
function isSafeForwarded (method: string | string[] | undefined): boolean {
  return method === undefined || (typeof method === 'string' && isSafeMethod(method.toUpperCase()))
}

/** Whether an Upgrade header names WebSocket among its protocols, which may have versions (RFC 9110 §7.8). */
function namesWebSocket (upgrade: string | string[] | undefined): boolean {
  return upgrade !== undefined && /(?:^|,)[ \t]*websocket[ \t]*(?:[,/]|$)/i.test(String(upgrade))
}

/**
 * Whether a request that carries or sets cookies comes from where it may.
 *
 * A browser says where a request was begun, by `Sec-Fetch-Site` or at least by `Origin`, and a page cannot make it
 * lie. A client that says neither is no browser, or a very old one: it has to send `X-Countersign: 1`, which a
 * cross-site form cannot.
 *
 * @param origins the exact origins that are allowed beside the service's own pages
 */
export function passesCsrfCheck ({ headers }: RequestSource, origins: readonly string[]): boolean {
  const site = headers['sec-fetch-site']
  const origin = headers.origin
  if (site === 'same-origin' || site === 'none') return true
  if (origin !== undefined) return typeof origin === 'string' && !NO_ORIGINS.has(origin) && origins.includes(origin)
  return site === undefined && headers['x-countersign'] === '1'
}
