/**
 * A hash table of ids with expiry and version, for millions of them. UUIDs in lower case, as all ids of the service are, are
 * stored as numbers in flat memory: 20 or 28 bytes per slot, at most 70 % of the slots in use, and nothing for the garbage
 * collector to visit. Other ids are stored in a map.
 */
export interface UuidTable {
  readonly size: number
  has (id: string): boolean
  /** The version stored with an id, or -Infinity. */
  version (id: string): number
  /** Adds an id, or raises its expiry and version. @param expiresAt Unix seconds @returns whether anything changed */
  merge (id: string, expiresAt: number, version: number): boolean
  /** Drops expired ids. @param now Unix seconds */
  prune (now: number): void
  /** All ids, piece by piece. Those that are added meanwhile may be missing; no other is, unless it has expired. */
  pieces (): Generator<TablePiece>
}

/** An id in a table. */
export interface TableEntry {
  readonly id: string
  /** Unix seconds. */
  readonly expiresAt: number
  readonly version: number
}

/** A part of a table. */
export interface TablePiece {
  /** Pieces of the same layout and index are about the same ids, at different times. `undefined`: of nothing else. */
  readonly layout: object | undefined
  readonly index: number
  /** What is in it now. */
  read (): TableEntry[]
}

// A slot is five numbers: the UUID, and its expiry plus two, because 0 and 1 mark slots without an id.
const WIDTH = 5
const EXPIRY = 4
const FREE = 0
const DELETED = 1
const SHIFT = 2
const LATEST = 2 ** 32 - 1 - SHIFT

const MIN_CAPACITY = 1024
const SLOTS_OF_PIECE = 1024
const OTHERS_OF_PIECE = 256
const MAX_LOAD = 0.7

/** @param hasVersions without versions a slot is smaller */
export function createUuidTable (hasVersions: boolean): UuidTable {
  const others = new Map<string, { expiresAt: number, version: number }>()
  const needle = new Uint32Array(4)
  let capacity = MIN_CAPACITY
  let slots = new Uint32Array(capacity * WIDTH)
  let versions = new Float64Array(hasVersions ? capacity : 0)
  let [live, used] = [0, 0]

  // The last 32 bits of a UUID are random: they select the slot, and the rest is parsed only if they match.
  function find (id: string): number {
    const tail = readWord(id, 28, 32)
    if (tail < 0) return -1
    for (let slot = slotOf(tail, capacity); ; slot = (slot + 1) & (capacity - 1)) {
      const at = slot * WIDTH
      const expiry = slots[at + EXPIRY]
      if (expiry === FREE) return -1
      if (expiry !== DELETED && slots[at + 3] === tail && readUuid(id, needle) && matches(at, needle)) return slot
    }
  }

  function matches (at: number, words: Uint32Array): boolean {
    return slots[at] === words[0] && slots[at + 1] === words[1] && slots[at + 2] === words[2] && slots[at + 3] === words[3]
  }

  function insert (words: Uint32Array, expiry: number, version: number): void {
    let slot = slotOf(words[3] ?? 0, capacity)
    while ((slots[slot * WIDTH + EXPIRY] ?? FREE) > DELETED) slot = (slot + 1) & (capacity - 1)
    if (slots[slot * WIDTH + EXPIRY] === FREE) used++
    live++
    slots.set(words, slot * WIDTH)
    slots[slot * WIDTH + EXPIRY] = expiry
    if (hasVersions) versions[slot] = version
  }

  /** Moves all ids into a table that they fill to half of the maximum load. */
  function rebuild (): void {
    const [old, oldVersions] = [slots, versions]
    capacity = MIN_CAPACITY
    while (capacity * MAX_LOAD / 2 < live) capacity *= 2
    slots = new Uint32Array(capacity * WIDTH)
    versions = new Float64Array(hasVersions ? capacity : 0)
    live = used = 0
    for (let at = 0, slot = 0; at < old.length; at += WIDTH, slot++) {
      const expiry = old[at + EXPIRY] ?? FREE
      if (expiry > DELETED) insert(old.subarray(at, at + EXPIRY), expiry, oldVersions[slot] ?? 0)
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
      if (!readUuid(id, needle)) {
        const known = others.get(id)
        if (known !== undefined && known.expiresAt >= expiresAt && known.version >= version) return false
        others.set(id, { expiresAt: Math.max(expiresAt, known?.expiresAt ?? 0), version: Math.max(version, known?.version ?? 0) })
        return true
      }
      const expiry = Math.min(Math.max(0, Math.ceil(expiresAt)), LATEST) + SHIFT
      const slot = find(id)
      if (slot === -1) {
        if (used + 1 > capacity * MAX_LOAD) rebuild()
        readUuid(id, needle)
        insert(needle, expiry, version)
        return true
      }
      const at = slot * WIDTH + EXPIRY
      const [knownExpiry, knownVersion] = [slots[at] ?? 0, hasVersions ? versions[slot] ?? 0 : version]
      slots[at] = Math.max(knownExpiry, expiry)
      if (hasVersions) versions[slot] = Math.max(knownVersion, version)
      return expiry > knownExpiry || version > knownVersion
    },

    prune (now) {
      for (const [id, { expiresAt }] of others) if (expiresAt <= now) others.delete(id)
      for (let at = EXPIRY; at < slots.length; at += WIDTH) {
        const expiry = slots[at] ?? FREE
        // Not `>`: if the clock returns NaN, nothing may be forgotten.
        if (expiry <= DELETED || !(expiry - SHIFT <= now)) continue
        slots[at] = DELETED
        live--
      }
      if (capacity > MIN_CAPACITY && live < capacity / 8) rebuild()
    },

    * pieces () {
      // A rebuild leaves these arrays as they were, and moves what is added later elsewhere.
      const layout = { slots, versions }
      for (let index = 0; index * SLOTS_OF_PIECE * WIDTH < layout.slots.length; index++) yield { layout: layout.slots, index, read: () => readSlots(layout, index) }
      let batch: TableEntry[] = []
      for (const [id, { expiresAt, version }] of others) {
        batch.push({ id, expiresAt, version })
        if (batch.length < OTHERS_OF_PIECE) continue
        yield toPiece(batch)
        batch = []
      }
      if (batch.length > 0) yield toPiece(batch)
    }
  }
}

function readSlots ({ slots, versions }: { slots: Uint32Array, versions: Float64Array }, index: number): TableEntry[] {
  const entries: TableEntry[] = []
  const last = Math.min((index + 1) * SLOTS_OF_PIECE * WIDTH, slots.length)
  for (let at = index * SLOTS_OF_PIECE * WIDTH; at < last; at += WIDTH) {
    const expiry = slots[at + EXPIRY] ?? FREE
    if (expiry > DELETED) entries.push({ id: writeUuid(slots, at), expiresAt: expiry - SHIFT, version: versions[at / WIDTH] ?? 0 })
  }
  return entries
}

function toPiece (entries: TableEntry[]): TablePiece {
  return { layout: undefined, index: 0, read: () => entries }
}

function slotOf (tail: number, capacity: number): number {
  const mixed = Math.imul(tail ^ (tail >>> 15), 0x2c1b3c6d)
  return (mixed ^ (mixed >>> 13)) & (capacity - 1)
}

const DIGITS = new Int8Array(256).fill(-1)
for (const [value, digit] of [...'0123456789abcdef'].entries()) DIGITS[digit.charCodeAt(0)] = value

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'))

function writeUuid (words: Uint32Array, at: number): string {
  const [a = 0, b = 0, c = 0, d = 0] = [words[at], words[at + 1], words[at + 2], words[at + 3]]
  return `${upper(a)}${lower(a)}-${upper(b)}-${lower(b)}-${upper(c)}-${lower(c)}${upper(d)}${lower(d)}`
}

const upper = (word: number): string => `${HEX[word >>> 24]}${HEX[word >>> 16 & 0xff]}`
const lower = (word: number): string => `${HEX[word >>> 8 & 0xff]}${HEX[word & 0xff]}`

/** Parses a UUID in lower case into four 32-bit words. @returns whether `id` is one */
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

/** @returns the number made of two times four hexadecimal digits; -1 if another character is among them */
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
