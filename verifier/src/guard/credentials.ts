/** The token of an Authorization header (RFC 6750 §2.1), after one space or more (RFC 9110 §11.4); `undefined` where there is none or its scheme is another. */
export function bearerToken (authorization: string | undefined): string | undefined {
  if (authorization === undefined) return undefined
  if (authorization.startsWith('Bearer e')) return authorization.slice(7)
  const scheme = /^bearer(?: +|$)/i.exec(authorization)
  return scheme === null ? undefined : authorization.slice(scheme[0].length)
}

/**
 * Every value that a Cookie header has for a name, as they stand. More than one: a sibling subdomain may have tossed one
 * in, and nobody can tell which.
 */
export function cookieValues (header: string, name: string): string[] {
  if (!header.includes(name)) return []
  return header.split(';').flatMap(pair => {
    const sign = pair.indexOf('=')
    return sign !== -1 && pair.slice(0, sign).trim() === name ? [pair.slice(sign + 1).trim()] : []
  })
}
