import { createElapsedTime, createLedgerClock, createRevocationSet, LEDGER_LIFE, type Revocation, type RevocationSet } from 'countersign-verifier/internal'
import type { Database, Subscription } from '../database/database.ts'
import { readCursor } from './cursor.ts'
import type { LedgerReader } from './ledger-reader.ts'
import { CHANNEL, isVersion, toRevocation, type LedgerRow } from './ledger-writer.ts'
import type { RestoreRevocations } from './restore-revocations.ts'

const POLL_EVERY = 1_000
const PRUNE_EVERY = 60_000
// As long as other connections: whoever keeps one for ever may keep one to a primary that another has replaced.
const LISTEN_FOR = 300_000

/** Is called with what this instance learns, in order, once it is in force here. */
export interface RevocationListener {
  /** Something was revoked, here or elsewhere. Called once for each, however often it is notified and read. */
  onRevocation (revocation: Revocation): void
  /**
   * A read of the ledger was completed: `onRevocation` has been called for everything that it found, now or before.
   *
   * @param cursor where the read ended
   */
  onRead (cursor: string): void
}

/** Keeps the set of this instance in step with the ledger. */
export type LedgerSync = Awaited<ReturnType<typeof followLedger>>

export interface LedgerSyncDeps {
  ledger: Pick<LedgerReader, 'read'>
  database: Pick<Database, 'listen'>
  set: RevocationSet
  log: { warn (details: object, message: string): void }
  /** Called when the ledger is another than before: writes back what it lacks of what was read or applied here, and says whether it is done. */
  restore?: RestoreRevocations
  /** `false` leaves only the reads, as behind a pooler that swallows LISTEN. */
  listens?: boolean
  /** Milliseconds between two looks for what can be forgotten. */
  pruneEvery?: number
  /** Milliseconds after which another connection listens. */
  listenFor?: number
}

/**
 * Follows the ledger: listens first, then reads all of it, and only then returns, so that an instance opens its port with
 * every revocation in its set. From then on it is notified of commits, and reads once a second what it may have missed.
 */
export async function followLedger ({ ledger, database, set, log, restore, listens = true, pruneEvery = PRUNE_EVERY, listenFor = LISTEN_FOR }: LedgerSyncDeps) {
  const counts = { reads: 0, failedReads: 0, notifications: 0 }
  const listeners = new Set<RevocationListener>()
  // Without what was only notified: anybody who may connect to the database can notify, and none of that becomes the ledger's.
  const known = createRevocationSet()
  let listening: Promise<void> | undefined
  let subscription: Subscription | undefined
  let listenedAt = -Infinity
  let cursor: string | undefined
  let readAt = -Infinity
  let offset = 0
  let lag = 0
  let closed = false
  let isReplaced = false
  let restoring: Promise<void> | undefined
  let catchingUp: Promise<void> | undefined
  let catchingUpNext: Promise<void> | undefined

  // An instance that slept must not take itself for fresh.
  const elapsed = createElapsedTime()
  const now = () => elapsed.now() / 1000 + offset
  // Tokens are judged by the database's clock, and so would be forgotten by it: one that is wrong for a moment, as after a
  // failover, must not make this instance forget what it is not told again.
  const earliest = createLedgerClock(elapsed.now)

  const expiredBy = () => Math.min(now(), (earliest.now() ?? -Infinity) / 1000)

  function onNotify (payload: string): void {
    counts.notifications++
    const row = parseRow(payload)
    // What somebody else may have said is not quoted.
    if (row === undefined) return log.warn({ bytes: Buffer.byteLength(payload) }, 'invalid revocation payload')
    learn(row, toRevocation(row))
  }

  function merge (rows: readonly LedgerRow[]): void {
    for (const row of rows) {
      const revocations = toRevocation(row)
      revocations.forEach(known.add)
      learn(row, revocations)
    }
  }

  function learn (row: LedgerRow, revocations: readonly Revocation[]): void {
    if (add(revocations)) lag = Math.max(0, now() - (row.expiresAt - LEDGER_LIFE))
  }

  /** @returns whether any of them was new */
  function add (revocations: readonly Revocation[]): boolean {
    const added = revocations.filter(set.add)
    for (const revocation of added) emit(listener => listener.onRevocation(revocation))
    return added.length > 0
  }

  // A listener that fails must not keep this instance from learning.
  function emit (call: (listener: RevocationListener) => void): void {
    for (const listener of listeners) {
      try {
        call(listener)
      } catch (error) {
        log.warn({ err: error }, 'revocation listener failed')
      }
    }
  }

  async function listen (): Promise<void> {
    const opened = await database.listen(CHANNEL, {
      onNotify,
      onLost: cause => {
        listening = undefined
        subscription = undefined
        log.warn({ err: cause }, 'lost the connection that listens for revocations; polling instead')
      }
    })
    if (closed) await opened.close()
    else subscription = opened
    listenedAt = elapsed.now()
  }

  // What is notified in between is read a moment later.
  function renewListening (): void {
    if (subscription === undefined || elapsed.now() - listenedAt < listenFor) return
    subscription.close().catch(() => {})
    subscription = undefined
    listening = undefined
  }

  async function read (): Promise<void> {
    const began = elapsed.now()
    const reading = await ledger.read(merge, cursor)
    counts.reads++
    if (began < readAt) return
    if (cursor !== undefined && readCursor(cursor)?.identity !== readCursor(reading.cursor)?.identity) isReplaced = true
    cursor = reading.cursor
    readAt = began
    offset = reading.now - elapsed.now() / 1000
    earliest.update(reading.now * 1000)
    emit(listener => listener.onRead(reading.cursor))
  }

  // Whoever asks while a read is running shares the next one: that begins after what they ask about.
  async function catchUp (): Promise<void> {
    if (catchingUp !== undefined) await (catchingUpNext ??= catchingUp.catch(() => {}).then(startCatchingUp))
    else await startCatchingUp()
  }

  function startCatchingUp (): Promise<void> {
    catchingUpNext = undefined
    const reading = catchingUp = read().finally(() => { if (catchingUp === reading) catchingUp = undefined })
    return reading
  }

  // After a failover, a crash or a restore: the past of this ledger may lack what was revoked in the other's.
  function restoreOnce (): void {
    if (restore === undefined || !isReplaced || restoring !== undefined) return
    restoring = restore(known)
      .then(isDone => { isReplaced = !isDone })
      .catch((error: unknown) => log.warn({ err: error }, 'could not compare the ledger with what is revoked here'))
      .finally(() => { restoring = undefined })
  }

  async function stopListening (): Promise<void> {
    closed = true
    await listening
    await subscription?.close()
  }

  // Neither waits for the other: where no connection is left to listen on, the reads matter all the more.
  async function poll (): Promise<void> {
    elapsed.beat()
    if (listens) {
      renewListening()
      listening ??= listen().catch((error: unknown) => {
        listening = undefined
        log.warn({ err: error }, 'could not listen for revocations; polling instead')
      })
    }
    try {
      await read()
      restoreOnce()
    } catch (error) {
      counts.failedReads++
      log.warn({ err: error, ageMs: Math.round(elapsed.now() - readAt) }, 'could not read the revocation ledger')
    }
  }

  try {
    if (listens) await (listening = listen())
    await read()
  } catch (error) {
    await stopListening().catch(() => {})
    throw error
  }
  lag = 0
  let polling = Promise.resolve()
  let pollTimer = setTimeout(function again () {
    polling = poll().finally(() => { if (!closed) pollTimer = setTimeout(again, POLL_EVERY) })
  }, POLL_EVERY)
  const pruneTimer = setInterval(() => {
    for (const each of [set, known]) each.prune(expiredBy())
  }, pruneEvery)

  return {
    /** Puts what was just committed here into force at once. */
    apply (revocations: readonly Revocation[]): void {
      revocations.forEach(known.add)
      add(revocations)
    },
    /** Calls a listener from now on. @returns a function that ends this */
    follow (listener: RevocationListener): () => void {
      listeners.add(listener)
      return () => { listeners.delete(listener) }
    },
    /** Reads what was committed elsewhere, where the next regular read is too late. */
    catchUp,
    /** How long ago the last completed read of the ledger began, in milliseconds, by a monotonic clock. */
    age: () => elapsed.now() - readAt,
    /** Where the last completed read of the ledger ended. */
    cursor: () => cursor ?? '',
    /** The database's clock, in Unix seconds, as of the last read. */
    now,
    /** How many seconds the last revocation took from the start of its transaction to this instance. */
    lag: () => lag,
    counts: counts as Readonly<typeof counts>,
    async close (): Promise<void> {
      closed = true
      clearTimeout(pollTimer)
      clearInterval(pruneTimer)
      await polling
      await restoring
      await stopListening()
    }
  }
}

function parseRow (payload: string): LedgerRow | undefined {
  try {
    const row = JSON.parse(payload) as Partial<LedgerRow> | null
    const isRow = typeof row?.subject === 'string' && Number.isFinite(row.expiresAt) && (row.minVersion === null || isVersion(row.minVersion))
    return isRow ? row as LedgerRow : undefined
  } catch {
    return undefined
  }
}
