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

/** Every spelling of the three headers that some service reads as ours, by `-` and `_` and by case. */
export const SPELLINGS: readonly string[] = ['X-Auth-User-Id', 'X-Auth-Role', 'X-Auth-Email'].flatMap(name => {
  const parts = name.split('-')
  const mixtures = Array.from({ length: 2 ** (parts.length - 1) }, (_, bits) =>
    parts.reduce((spelt, part, index) => `${spelt}${(bits >> (index - 1)) & 1 ? '_' : '-'}${part}`))
  return mixtures.flatMap(spelt => [spelt, spelt.toLowerCase(), spelt.toUpperCase()])
})
