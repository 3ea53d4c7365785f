type Parse = (text: string) => unknown

// By type oid: the types that pg and PGlite parse differently.
const PARSERS = new Map<number, Parse>([
  [17, text => Buffer.from(text.slice(2), 'hex')], // bytea
  [20, parseInt8],
  [114, JSON.parse],
  [3802, JSON.parse],
  [1082, String], // date: a day has no time zone
  [1114, text => new Date(`${text.replace(' ', 'T')}Z`)], // timestamp
  [1184, parseTimestamptz]
])

/** The parser of a column type that the drivers parse differently. */
export function columnParser (oid: number): Parse | undefined {
  return PARSERS.get(oid)
}

/** The same as an object by oid, for PGlite. */
export const columnParsers: Readonly<Record<number, Parse>> = Object.fromEntries(PARSERS)

function parseInt8 (text: string) {
  const number = Number(text)
  return Number.isSafeInteger(number) ? number : BigInt(text)
}

// The format of a session in UTC: `2026-01-02 03:04:05.678+00`.
function parseTimestamptz (text: string) {
  return new Date(text.endsWith('+00') ? `${text.slice(0, 10)}T${text.slice(11, -3)}Z` : text)
}
