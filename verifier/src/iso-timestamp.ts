// Tokens issued in the same second share both timestamps, and formatting one costs as much as parsing a payload.
const MAX_CACHED = 4096
let cache = new Map<number, string>()

/** @param seconds Unix time; @returns ISO 8601, UTC */
export function isoTimestamp (seconds: number): string {
  let text = cache.get(seconds)
  if (text === undefined) {
    if (cache.size >= MAX_CACHED) cache = new Map()
    text = new Date(seconds * 1000).toISOString()
    cache.set(seconds, text)
  }
  return text
}
