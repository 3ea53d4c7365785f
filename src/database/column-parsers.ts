type Parse = (text: string) => unknown

// Where pg and PGlite read a column differently, this decides for both. By type oid.
const PARSERS = new Map<number, Parse>([
  [17, text => Buffer.from(text.slice(2), 'hex')], // bytea
  [20, parseInt8],
  [114, JSON.parse],
  [3802, JSON.parse],
  [1082, String], // date: a day has no time zone to be read in
  [1114, text => new Date(`${text.replace(' ', 'T')}Z`)], // timestamp
  [1184, parseTimestamptz]
])

/** How a column of this type reads, where the drivers' own readers differ. */
export function columnParser (oid: number): Parse | undefined {
  return PARSERS.get(oid)
}

/** The same as an object by oid, as PGlite takes it. */
export const columnParsers: Readonly<Record<number, Parse>> = Object.fromEntries(PARSERS)

function parseInt8 (text: string) {
  const number = Number(text)
  return Number.isSafeInteger(number) ? number : BigInt(text)
}

// A session in UTC writes `2026-01-02 03:04:05.678+00`.
function parseTimestamptz (text: string) {
  return new Date(text.endsWith('+00') ? `${text.slice(0, 10)}T${text.slice(11, -3)}Z` : text)
}
