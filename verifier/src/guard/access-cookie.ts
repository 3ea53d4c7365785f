/** The cookie that browsers send their tokens in, and who may send it. */
export interface CookieOptions {
  /** The service's `PUBLIC_URL`: it decides the cookie's name, and its origin is allowed. Default: the issuer, if that is a URL. */
  readonly publicUrl?: string | undefined
  /** The service's `COOKIE_DOMAIN`, if it has one: then its access cookie is `__Secure-access`. */
  readonly cookieDomain?: string | undefined
  /** The access cookie's name, if it differs from the service's; `false` accepts no cookies. */
  readonly cookieName?: string | false | undefined
  /** Exact origins of pages that may send unsafe requests with the cookie, besides that of `publicUrl`. */
  readonly allowedOrigins?: readonly string[] | undefined
}

/** The same, after validation. */
export interface AccessCookie {
  /** `undefined`: no cookies are accepted. */
  readonly name: string | undefined
  readonly origins: readonly string[]
}

// A token (RFC 6265 §4.1.1).
const NAME = /^[!#$%&'*+.^_`|~\w-]+$/

/**
 * Names the access cookie as the service does: `__Host-access` if its `PUBLIC_URL` is https, `__Secure-access` if it has a
 * `COOKIE_DOMAIN` too, `access` for plain http.
 *
 * @throws TypeError whose message begins with the name of the invalid option
 */
export function readCookieOptions ({ publicUrl: given, cookieDomain, cookieName, allowedOrigins = [] }: CookieOptions, issuer: string): AccessCookie {
  const publicUrl = readUrl(given ?? issuer)
  if (given !== undefined && publicUrl === undefined) throw new TypeError('publicUrl must be an http or https URL')
  if (typeof cookieName === 'string' ? !NAME.test(cookieName) : cookieName !== undefined && cookieName !== false) {
    throw new TypeError('cookieName must be the name of a cookie, or false')
  }
  if (!Array.isArray(allowedOrigins) || !allowedOrigins.every(isOrigin)) {
    throw new TypeError('allowedOrigins must be a list of exact origins, for example https://app.example.com')
  }
  return {
    name: cookieName === false ? undefined : cookieName ?? (publicUrl && accessCookieName(publicUrl, cookieDomain)),
    origins: [...publicUrl === undefined ? [] : [publicUrl.origin], ...allowedOrigins]
  }
}

function accessCookieName ({ protocol }: URL, cookieDomain: string | undefined): string {
  if (protocol === 'http:') return 'access'
  return cookieDomain === undefined ? '__Host-access' : '__Secure-access'
}

function readUrl (text: string): URL | undefined {
  const url = URL.canParse(text) ? new URL(text) : undefined
  return url !== undefined && /^https?:$/.test(url.protocol) ? url : undefined
}

function isOrigin (text: unknown): boolean {
  return typeof text === 'string' && readUrl(text)?.origin === text
}
