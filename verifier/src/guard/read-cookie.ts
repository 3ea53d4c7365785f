/** @returns every value that a Cookie header has for a name, as sent */
function cookieValues (header: string, name: string): string[] {
  if (!header.includes(name)) return []
  return header.split(';').flatMap(pair => {
    const sign = pair.indexOf('=')
    return sign !== -1 && pair.slice(0, sign).trim() === name ? [pair.slice(sign + 1).trim()] : []
  })
}

/** Whether a Cookie header has a cookie with one of the names. */
export function hasCookie (header: string, names: readonly string[]): boolean {
  return names.some(name => cookieValues(header, name).length > 0)
}

/**
 * Reads a cookie that must not be sent twice: a sibling subdomain may have set the other one (cookie tossing), and the
 * header does not tell which.
 *
 * @param Ambiguous thrown if it was
 */
export function readCookie (header: string, name: string, Ambiguous: new () => Error): string | undefined {
  const [value, ...others] = cookieValues(header, name)
  if (others.length > 0) throw new Ambiguous()
  return value
}
