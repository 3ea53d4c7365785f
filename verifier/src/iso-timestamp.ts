// Tokens minted in the same second share both their times, and writing one as text costs as much as parsing a payload.
const KEPT = 4096
let known = new Map<number, string>()

/** @param seconds Unix time; @returns ISO 8601, UTC */
export function isoTimestamp (seconds: number): string {
  let text = known.get(seconds)
  if (text === undefined) {
    if (known.size >= KEPT) known = new Map()
    text = new Date(seconds * 1000).toISOString()
    known.set(seconds, text)
  }
  return text
}
