/**
 * Remembers values by token, within a bound of bytes. The whole token decides: no two tokens ever share an entry.
 *
 * Entries are found by thirty bits of the token's end, which is its signature, as many as V8 keeps in a small integer, and
 * then held against all of it: hashing half a kilobyte at each look-up would cost more than everything else that is done
 * with a token seen before. Of two tokens with the same bits the first is remembered, the other verified anew each time.
 *
 * A token is remembered when it comes for the second time: of the first a few bits are kept. So tokens that come once
 * cost next to nothing, and a million of them drive out nothing that is in use.
 *
 * Two generations: when the young one holds half the bytes it becomes the old one, and the old one is dropped. So what
 * is in use stays, what is not goes, and neither a hit nor an insertion moves a list.
 */
export interface TokenCache<Value> {
  get (token: string): Value | undefined
  /** Remembers the value, if the token has come before. */
  set (token: string, value: Value): void
  clear (): void
}

interface Entry<Value> {
  readonly token: string
  readonly value: Value
}

// A generous guess at what an entry takes beside its token: the principal, its strings and the map's own cell.
const ENTRY_BYTES = 1024

const sizeOf = (token: string): number => token.length + ENTRY_BYTES

// How many tokens are known to have come once: a newer one takes the place of an older.
const PLACES = 2 ** 14

/** @param maxBytes what the cache may take; 0 remembers nothing */
export function createTokenCache<Value> (maxBytes: number): TokenCache<Value> {
  let young = new Map<number, Entry<Value>>()
  let old = new Map<number, Entry<Value>>()
  let youngBytes = 0
  const seenOnce = new Int32Array(maxBytes > 0 ? PLACES : 0)

  // Two tokens with the same bits only make one of them be remembered at once.
  function isSeenAgain (token: string): boolean {
    const bits = bitsBefore(token, token.length - 6)
    const place = bits & (PLACES - 1)
    const isKnown = seenOnce[place] === bits
    seenOnce[place] = bits
    return isKnown
  }

  function keep (bits: number, entry: Entry<Value>): void {
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
      keep(bits, aged)
      return aged.value
    },
    set (token, value) {
      if (sizeOf(token) * 2 > maxBytes || !isSeenAgain(token)) return
      const bits = bitsBefore(token, token.length)
      if (young.has(bits)) return
      // A token is cut out of a header, all of which would be kept with it: so it is copied.
      keep(bits, { token: Buffer.from(token, 'latin1').toString('latin1'), value })
    },
    clear () {
      young = new Map()
      old = new Map()
      youngBytes = 0
    }
  }
}

/** @returns thirty bits made of the six characters before `end`: a signature's, and so as good as random */
function bitsBefore (token: string, end: number): number {
  let bits = 0
  for (let at = end - 6; at < end; at++) bits = Math.imul(bits, 67) + token.charCodeAt(at) | 0
  return bits & 0x3fffffff
}
