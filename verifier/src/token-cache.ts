/**
 * Remembers values by token, within a bound of bytes. The whole token is the key: no two tokens ever share an entry.
 *
 * Two generations: when the young one holds half the bytes it becomes the old one, and the old one is dropped. So what
 * is in use stays, what is not goes, and neither a hit nor an insertion moves a list.
 */
export interface TokenCache<Value> {
  get (token: string): Value | undefined
  set (token: string, value: Value): void
  clear (): void
}

// A generous guess at what an entry takes beside its token: the principal, its strings and the map's own cell.
const ENTRY_BYTES = 1024

/** @param maxBytes what the cache may take; 0 remembers nothing */
export function createTokenCache<Value> (maxBytes: number): TokenCache<Value> {
  let young = new Map<string, Value>()
  let old = new Map<string, Value>()
  let youngBytes = 0

  function set (token: string, value: Value): void {
    const bytes = token.length + ENTRY_BYTES
    if (bytes * 2 > maxBytes) return
    if ((youngBytes += bytes) * 2 > maxBytes) {
      old = young
      young = new Map()
      youngBytes = bytes
    }
    young.set(token, value)
  }

  return {
    get (token) {
      const value = young.get(token)
      if (value !== undefined || old.size === 0) return value
      const aged = old.get(token)
      if (aged !== undefined) set(token, aged)
      return aged
    },
    set,
    clear () {
      young = new Map()
      old = new Map()
      youngBytes = 0
    }
  }
}
