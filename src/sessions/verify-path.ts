// A proxy may decode more often than it should, and takes `\` for `/` where the WHATWG URL standard is followed.
const DECODINGS = 3

/**
 * Whether a path has a `.` or `..` segment, encoded or not: a proxy on the way that resolves them would ask somewhere
 * else than it was asked (RFC 3986 §6.2.2.3). What follows a `;` or `#` in a segment does not hide it.
 *
 * @param url of a request, with its query or without
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
