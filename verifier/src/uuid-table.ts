/**
 * What is known of ids, for millions of them. UUIDs in their usual spelling, as all ids of the service are, stand as
 * numbers in flat memory: 20 or 28 bytes a place, at most 0.7 of the places taken, and the garbage collector never
 * looks at them. Other ids are kept as they are.
 */
export interface UuidTable {
  readonly size: number
  has (id: string): boolean
  /** The version kept with an id, -Infinity where there is none. */
  version (id: string): number
  /** Adds an id; where it is known, the later expiry and the higher version stay. @param expiresAt Unix seconds @returns whether anything changed */
  merge (id: string, expiresAt: number, version: number): boolean
  /** Drops what has expired. @param now Unix seconds */
  prune (now: number): void
}

// A place is five numbers: the UUID, then its expiry, moved up so that two values are left for the places without one.
const WIDTH = 5
const EXPIRY = 4
const FREE = 0
const GONE = 1
const SHIFT = 2
const LATEST = 2 ** 32 - 1 - SHIFT

const FEWEST = 1024
const FULL = 0.7

/** @param keepsVersions whether versions are kept at all; without them a place is smaller */
export function createUuidTable (keepsVersions: boolean): UuidTable {
  const others = new Map<string, { expiresAt: number, version: number }>()
  const sought = new Uint32Array(4)
  let capacity = FEWEST
  let places = new Uint32Array(capacity * WIDTH)
  let versions = new Float64Array(keepsVersions ? capacity : 0)
  let [live, used] = [0, 0]

  // The tail of a UUID is random: it names the place, and the rest is read only where the tail is the same.
  function find (id: string): number {
    const tail = readWord(id, 28, 32)
    if (tail < 0) return -1
    for (let slot = placeOf(tail, capacity); ; slot = (slot + 1) & (capacity - 1)) {
      const at = slot * WIDTH
      const expiry = places[at + EXPIRY]
      if (expiry === FREE) return -1
      if (expiry !== GONE && places[at + 3] === tail && readUuid(id, sought) && isAt(at, sought)) return slot
    }
  }

  function isAt (at: number, words: Uint32Array): boolean {
    return places[at] === words[0] && places[at + 1] === words[1] && places[at + 2] === words[2] && places[at + 3] === words[3]
  }

  function insert (words: Uint32Array, expiry: number, version: number): void {
    let slot = placeOf(words[3] ?? 0, capacity)
    while ((places[slot * WIDTH + EXPIRY] ?? FREE) > GONE) slot = (slot + 1) & (capacity - 1)
    if (places[slot * WIDTH + EXPIRY] === FREE) used++
    live++
    places.set(words, slot * WIDTH)
    places[slot * WIDTH + EXPIRY] = expiry
    if (keepsVersions) versions[slot] = version
  }

  /** Moves what lives into a table that it half fills at most. */
  function rebuild (): void {
    const [old, oldVersions] = [places, versions]
    capacity = FEWEST
    while (capacity * FULL / 2 < live) capacity *= 2
    places = new Uint32Array(capacity * WIDTH)
    versions = new Float64Array(keepsVersions ? capacity : 0)
    live = used = 0
    for (let at = 0, slot = 0; at < old.length; at += WIDTH, slot++) {
      const expiry = old[at + EXPIRY] ?? FREE
      if (expiry > GONE) insert(old.subarray(at, at + EXPIRY), expiry, oldVersions[slot] ?? 0)
    }
  }

  return {
    get size () { return live + others.size },

    has: id => (live !== 0 && find(id) !== -1) || (others.size !== 0 && others.has(id)),

    version (id) {
      const slot = live === 0 ? -1 : find(id)
      if (slot !== -1) return versions[slot] ?? 0
      return others.size === 0 ? -Infinity : others.get(id)?.version ?? -Infinity
    },

    merge (id, expiresAt, version) {
      if (!readUuid(id, sought)) {
        const known = others.get(id)
        if (known !== undefined && known.expiresAt >= expiresAt && known.version >= version) return false
        others.set(id, { expiresAt: Math.max(expiresAt, known?.expiresAt ?? 0), version: Math.max(version, known?.version ?? 0) })
        return true
      }
      const expiry = Math.min(Math.max(0, Math.ceil(expiresAt)), LATEST) + SHIFT
      const slot = find(id)
      if (slot === -1) {
        if (used + 1 > capacity * FULL) rebuild()
        readUuid(id, sought)
        insert(sought, expiry, version)
        return true
      }
      const at = slot * WIDTH + EXPIRY
      const [knownExpiry, knownVersion] = [places[at] ?? 0, keepsVersions ? versions[slot] ?? 0 : version]
      places[at] = Math.max(knownExpiry, expiry)
      if (keepsVersions) versions[slot] = Math.max(knownVersion, version)
      return expiry > knownExpiry || version > knownVersion
    },

    prune (now) {
      for (const [id, { expiresAt }] of others) if (expiresAt <= now) others.delete(id)
      for (let at = EXPIRY; at < places.length; at += WIDTH) {
        const expiry = places[at] ?? FREE
        if (expiry <= GONE || expiry - SHIFT > now) continue
        places[at] = GONE
        live--
      }
      if (capacity > FEWEST && live < capacity / 8) rebuild()
    }
  }
}

function placeOf (tail: number, capacity: number): number {
  const mixed = Math.imul(tail ^ (tail >>> 15), 0x2c1b3c6d)
  return (mixed ^ (mixed >>> 13)) & (capacity - 1)
}

const DIGITS = new Int8Array(256).fill(-1)
for (const [value, digit] of [...'0123456789abcdef'].entries()) DIGITS[digit.charCodeAt(0)] = value

/** @returns whether `id` is a UUID in lower case, and then its four words in `words` */
function readUuid (id: string, words: Uint32Array): boolean {
  if (id.length !== 36 || id[8] !== '-' || id[13] !== '-' || id[18] !== '-' || id[23] !== '-') return false
  const [a, b, c, d] = [readWord(id, 0, 4), readWord(id, 9, 14), readWord(id, 19, 24), readWord(id, 28, 32)]
  if (a < 0 || b < 0 || c < 0 || d < 0) return false
  words[0] = a
  words[1] = b
  words[2] = c
  words[3] = d
  return true
}

/** @returns the number that twice four hexadecimal digits stand for, -1 where there are others */
function readWord (id: string, first: number, second: number): number {
  const high = readHalf(id, first)
  const low = readHalf(id, second)
  return high < 0 || low < 0 ? -1 : high * 0x10000 + low
}

function readHalf (id: string, start: number): number {
  let value = 0
  let seen = 0
  for (let at = start; at < start + 4; at++) {
    const digit = DIGITS[id.charCodeAt(at)] ?? -1
    seen |= digit
    value = value << 4 | digit
  }
  return seen < 0 ? -1 : value
}
