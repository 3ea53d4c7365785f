/**
 * Caches values by token, with a limit in bytes. Two tokens never share an entry.
 *
 * The key of an entry is thirty bits of the token's end, which is its signature (as many as fit into V8's small integers),
 * and then the whole token is compared: hashing half a kilobyte at each lookup would cost more than everything else that
 * is done with a cached token. Of two tokens with the same bits, only the first is cached.
 *
 * A token is cached when it is seen for the second time; after the first, only a few bits are stored. So tokens that are
 * used once cost almost nothing, and a million of them evict nothing that is in use.
 *
 * Two generations: when the young one holds half of the bytes it becomes the old one, and the old one is dropped. So
 * unused entries are evicted, and neither a hit nor an insertion has to reorder a list.
 */
export interface TokenCache<Value> {
  get (token: string): Value | undefined
  /** Caches the value, if the token has been seen before. */
  set (token: string, value: Value): void
  clear (): void
}

interface Entry<Value> {
  readonly token: string
  readonly value: Value
}

// A generous estimate of an entry's memory without its token: the principal, its strings and the map's own cell.
const ENTRY_BYTES = 1024

const sizeOf = (token: string): number => token.length + ENTRY_BYTES

// How many tokens are recorded as seen once. A newer one overwrites an older one.
const SLOTS = 2 ** 14

/** @param maxBytes 0 turns the cache off */
export function createTokenCache<Value> (maxBytes: number): TokenCache<Value> {
  let young = new Map<number, Entry<Value>>()
  let old = new Map<number, Entry<Value>>()
  let youngBytes = 0
  const seenOnce = new Int32Array(maxBytes > 0 ? SLOTS : 0)

  // A collision has one effect: a token is cached when it is first seen.
  function isSeenAgain (token: string): boolean {
    const bits = bitsBefore(token, token.length - 6)
    const slot = bits & (SLOTS - 1)
    const isSeen = seenOnce[slot] === bits
    seenOnce[slot] = bits
    return isSeen
  }

  function insert (bits: number, entry: Entry<Value>): void {
    const bytes = sizeOf(entry.token)
    if ((youngBytes += bytes) * 2 > maxBytes) {
      old = young
      young = new Map()
      youngBytes = bytes
    }
    young.set(bits, entry)
  }

  return {
    get (token) {
      const bits = bitsBefore(token, token.length)
      const entry = young.get(bits)
      if (entry !== undefined) return entry.token === token ? entry.value : undefined
      if (old.size === 0) return undefined
      const aged = old.get(bits)
      if (aged === undefined || aged.token !== token) return undefined
      insert(bits, aged)
      return aged.value
    },
    set (token, value) {
      if (sizeOf(token) * 2 > maxBytes || !isSeenAgain(token)) return
      const bits = bitsBefore(token, token.length)
      if (young.has(bits)) return
      // Copied, because the token is a slice of a header and would keep all of it in memory.
      insert(bits, { token: Buffer.from(token, 'latin1').toString('latin1'), value })
    },
    clear () {
      young = new Map()
      old = new Map()
      youngBytes = 0
    }
  }
}

/** @returns thirty bits of the six characters before `end`: part of a signature, so evenly distributed */
function bitsBefore (token: string, end: number): number {
  let bits = 0
  for (let at = end - 6; at < end; at++) bits = Math.imul(bits, 67) + token.charCodeAt(at) | 0
  return bits & 0x3fffffff
}
