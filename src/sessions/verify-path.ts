// Bounds the work: a path that is encoded more often than this has no honest reason to be.
const MAX_DECODINGS = 8

// Bytes that are no UTF-8 (RFC 3629 §3), and that a careless decoder reads as a dot or a slash all the same.
const OVERLONG = /%(?:c[01]|e0%[89]|f0%8)/i

/**
 * Whether a path has a `.` or `..` segment, encoded or not: a proxy that resolves them would send the request elsewhere
 * (RFC 3986 §6.2.2.3). What ends a segment or a path somewhere, such as `;`, `#`, `?`, NUL or a space, does not hide it. A
 * proxy may decode several times, and one that follows the WHATWG URL standard treats `\` as `/`.
 *
 * @param url the URL of a request, with or without a query
 */
export function hasDotSegment (url: string): boolean {
  // Most have neither a dot nor a character that stands for one.
  if (!/[.%]/.test(url)) return false
  const [path = ''] = url.split('?')
  const decoded = decode(path)
  return decoded === undefined || OVERLONG.test(decoded) || decoded.split(/[/\\]/).some(isDotSegment)
}

function isDotSegment (segment: string): boolean {
  const [, end = '/'] = /^\.{1,2}(.|$)/s.exec(segment) ?? []
  return end === '' || end <= ' ' || ';#?'.includes(end)
}

/** @returns `undefined` for a path that is still encoded after `MAX_DECODINGS` */
function decode (path: string): string | undefined {
  for (let n = 0; n < MAX_DECODINGS; n++) {
    const decoded = path.replace(/%([0-7][0-9a-f])/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
    if (decoded === path) return path
    path = decoded
  }
  return undefined
}
