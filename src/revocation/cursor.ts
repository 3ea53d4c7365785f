/** Where a read of the ledger ended: what was visible to it, a later read of the same ledger can leave out. */
export interface LedgerPosition {
  /** Which ledger was read. A restored database, or another server, has a different one. */
  identity: string
  /** The snapshot, as Postgres writes one: `xmin:xmax:xip,…` */
  snapshot: string
}

// A client sends it in a header, and all headers together may have 8 KB.
const LONGEST = 2_048
const CURSOR = /^([\w-]+\.\d+\.\d+)~((\d+):(\d+):((?:\d+(?:,\d+)*)?))$/
const LARGEST_ID = 2n ** 63n - 1n

/** @returns the position as text, opaque to clients */
export function writeCursor ({ identity, snapshot }: LedgerPosition): string {
  const cursor = `${identity}~${snapshot}`
  if (cursor.length <= LONGEST) return cursor
  // Thousands of transactions were in progress: as if nothing after the oldest had been seen, which repeats some and loses none.
  const [oldest] = snapshot.split(':')
  return `${identity}~${oldest}:${oldest}:`
}

/** @returns `undefined` for anything that is not a cursor: clients may send any text */
export function readCursor (cursor: string): LedgerPosition | undefined {
  if (cursor.length > LONGEST) return undefined
  const [, identity, snapshot, oldest = '', next = '', between = ''] = CURSOR.exec(cursor) ?? []
  if (identity === undefined || snapshot === undefined) return undefined
  return isOrdered(BigInt(oldest), BigInt(next), between === '' ? [] : between.split(',').map(BigInt)) ? { identity, snapshot } : undefined
}

// Postgres rejects anything else as a snapshot. No transaction has an id whose lower half is 0.
function isOrdered (oldest: bigint, next: bigint, between: readonly bigint[]): boolean {
  const ids = [oldest, ...between]
  const areIds = [oldest, next].every(id => BigInt.asUintN(32, id) !== 0n)
  return areIds && oldest <= next && next <= LARGEST_ID && between.every((id, index) => id >= (ids[index] ?? id) && id < next)
}
