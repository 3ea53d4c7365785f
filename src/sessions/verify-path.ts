// A proxy may decode several times, and one that follows the WHATWG URL standard treats `\` as `/`.
const DECODINGS = 3

/**
 * Whether a path has a `.` or `..` segment, encoded or not: a proxy that resolves them would send the request elsewhere
 * (RFC 3986 §6.2.2.3). A `;` or `#` in the segment does not hide it.
 *
 * @param url the URL of a request, with or without a query
 */
export function hasDotSegment (url: string): boolean {
  const [path = ''] = url.split('?')
  return decode(path).split(/[/\\]/).some(segment => /^\.{1,2}(?:[;#]|$)/.test(segment))
}

function decode (path: string): string {
  for (let n = 0; n < DECODINGS && path.includes('%'); n++) {
    path = path.replace(/%([0-7][0-9a-f])/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
  }
  return path
}
