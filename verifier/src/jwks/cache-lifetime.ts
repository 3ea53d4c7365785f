import type { IncomingHttpHeaders } from 'node:http'

// Seconds. Short enough to notice a key rotation, long enough to be no load.
const DEFAULT = 300
const SHORTEST = 15
const LONGEST = 86_400

/** @returns the seconds until the set is fetched again: its freshness lifetime (RFC 9111 §4.2), within bounds. A stale set stays in use meanwhile. */
export function cacheLifetime ({ 'cache-control': control = '', expires, date, age }: IncomingHttpHeaders): number {
  return Math.min(Math.max(freshness(), SHORTEST), LONGEST)

  function freshness (): number {
    if (/(^|[\s,])no-(store|cache)($|[\s,=])/i.test(control)) return SHORTEST
    const maxAge = /(?:^|[\s,])max-age="?(\d{1,9})/i.exec(control)?.[1]
    if (maxAge !== undefined) return Number(maxAge) - seconds(age)
    if (expires === undefined) return DEFAULT
    const until = (Date.parse(expires) - Date.parse(date ?? '')) / 1000
    return Number.isNaN(until) ? SHORTEST : until
  }
}

function seconds (text: string | undefined): number {
  return text !== undefined && /^\d{1,9}$/.test(text) ? Number(text) : 0
}
