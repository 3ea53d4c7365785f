import type { Sent } from './request.ts'

type Header = readonly [name: string, value: string]

export function bearer (token: string): Header {
  return ['Authorization', `Bearer ${token}`]
}

/** @param cookies by name; @param more pairs as they stand, after them */
export function cookie (cookies: Readonly<Record<string, string>>, ...more: string[]): Header {
  return ['Cookie', [...Object.entries(cookies).map(pair => pair.join('=')), ...more].join('; ')]
}

export function json (value: unknown): Required<Sent> {
  const body = Buffer.from(JSON.stringify(value))
  return { headers: [['Content-Type', 'application/json']], body }
}

// A header name may have these (RFC 9110 §5.6.2), and PHP reads each of them as it reads `-`.
const SEPARATORS = ['-', '_', ...'!#$%&\'*+.^`|~']
const NAMES = ['X-Auth-User-Id', 'X-Auth-Role', 'X-Auth-Email']

/** Spellings of the three headers that some service reads as ours: by what stands between the words, and by case. */
export const SPELLINGS: readonly string[] = NAMES.flatMap(name => {
  const [x, auth, ...rest] = name.split('-')
  const spelt = SEPARATORS.flatMap(mark => [`${x}${mark}${auth}${mark}${rest.join(mark)}`, `${x}${mark}${auth}-${rest.join('-')}`, `${x}-${auth}${mark}${rest.join(mark)}`])
  return [...new Set([...spelt, ...spelt.slice(0, 6).flatMap(one => [one.toLowerCase(), one.toUpperCase()])])]
})

/** Each of them with each of the values, as many in one request as every gateway and every service accepts. */
export function forgeries (...values: string[]): Header[][] {
  const all = SPELLINGS.flatMap(name => values.map(value => [name, value] as const))
  return Array.from({ length: Math.ceil(all.length / 80) }, (_, index) => all.slice(index * 80, (index + 1) * 80))
}
