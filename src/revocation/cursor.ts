/** Where a reading of the ledger stood: what was visible to it, a later reading of the same ledger need not ask for. */
export interface LedgerPosition {
  /** Which ledger was read. A restored database, or another server, has another. */
  identity: string
  /** The snapshot, as Postgres writes one: `xmin:xmax:xip,…` */
  snapshot: string
}

// It travels in a header, of which all together may have 8 KB.
const LONGEST = 2_048
const CURSOR = /^([\w-]+\.\d+\.\d+)~((\d+):(\d+):((?:\d+(?:,\d+)*)?))$/
const LARGEST_ID = 2n ** 63n - 1n

/** @returns the position as text, opaque to whoever keeps it */
export function writeCursor ({ identity, snapshot }: LedgerPosition): string {
  const cursor = `${identity}~${snapshot}`
  if (cursor.length <= LONGEST) return cursor
  // Thousands of transactions were under way: as if nothing after the oldest had been seen, which repeats some and loses none.
  const [oldest] = snapshot.split(':')
  return `${identity}~${oldest}:${oldest}:`
}

/** @returns `undefined` where this is no cursor: it may come from anywhere */
export function readCursor (cursor: string): LedgerPosition | undefined {
  if (cursor.length > LONGEST) return undefined
  const [, identity, snapshot, oldest = '', next = '', between = ''] = CURSOR.exec(cursor) ?? []
  if (identity === undefined || snapshot === undefined) return undefined
  return isOrdered(BigInt(oldest), BigInt(next), between === '' ? [] : between.split(',').map(BigInt)) ? { identity, snapshot } : undefined
}

// Of anything else Postgres would say that it is no snapshot. No transaction has an id whose lower half is 0.
function isOrdered (oldest: bigint, next: bigint, between: readonly bigint[]): boolean {
  const ids = [oldest, ...between]
  const areIds = [oldest, next].every(id => BigInt.asUintN(32, id) !== 0n)
  return areIds && oldest <= next && next <= LARGEST_ID && between.every((id, index) => id >= (ids[index] ?? id) && id < next)
}
