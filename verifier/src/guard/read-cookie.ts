/** @returns every value that a Cookie header has for a name, as sent */
export function cookieValues (header: string, name: string): string[] {
  const values: string[] = []
  let end = 0
  // Not split: nearly every request of a browser comes here, and most of its header is of no interest.
  for (let at = header.indexOf(name); at !== -1; at = header.indexOf(name, end)) {
    const start = header.lastIndexOf(';', at) + 1
    const sign = header.indexOf('=', start)
    const semicolon = header.indexOf(';', at)
    end = semicolon === -1 ? header.length : semicolon
    if (sign !== -1 && sign < end && header.slice(start, sign).trim() === name) values.push(header.slice(sign + 1, end).trim())
  }
  return values
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
  const values = cookieValues(header, name)
  if (values.length > 1) throw new Ambiguous()
  return values[0]
}
