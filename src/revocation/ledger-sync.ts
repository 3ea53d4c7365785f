import type { Revocation, RevocationSet } from 'countersign-verifier/internal'
import type { Database, Subscription } from '../database/database.ts'
import type { LedgerReader } from './ledger-reader.ts'
import { CHANNEL, LEDGER_LIFE, toRevocation, type LedgerRow } from './ledger-writer.ts'

const POLL_EVERY = 1_000
const PRUNE_EVERY = 60_000

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
  /** `false` leaves only the reads, as behind a pooler that swallows LISTEN. */
  listens?: boolean
}

/**
 * Follows the ledger: listens first, then reads all of it, and only then returns, so that an instance opens its port with
 * every revocation in its set. From then on it is notified of commits, and reads once a second what it may have missed.
 */
export async function followLedger ({ ledger, database, set, log, listens = true }: LedgerSyncDeps) {
  const counts = { reads: 0, failedReads: 0, notifications: 0 }
  const listeners = new Set<RevocationListener>()
  let listening: Promise<void> | undefined
  let subscription: Subscription | undefined
  let cursor: string | undefined
  let readAt = -Infinity
  let offset = 0
  let lag = 0
  let closed = false

  const now = () => performance.now() / 1000 + offset

  function onNotify (payload: string): void {
    counts.notifications++
    const row = parseRow(payload)
    if (row === undefined) return log.warn({ payload }, 'invalid revocation payload')
    merge([row])
  }

  function merge (rows: readonly LedgerRow[]): void {
    for (const row of rows) {
      if (add(toRevocation(row))) lag = Math.max(0, now() - (row.expiresAt - LEDGER_LIFE))
    }
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
  }

  async function read (): Promise<void> {
    const began = performance.now()
    const reading = await ledger.read(merge, cursor)
    counts.reads++
    if (began < readAt) return
    cursor = reading.cursor
    readAt = began
    offset = reading.now - performance.now() / 1000
    emit(listener => listener.onRead(reading.cursor))
  }

  async function stopListening (): Promise<void> {
    closed = true
    await listening
    await subscription?.close()
  }

  // Neither waits for the other: where no connection is left to listen on, the reads matter all the more.
  async function poll (): Promise<void> {
    if (listens) {
      listening ??= listen().catch((error: unknown) => {
        listening = undefined
        log.warn({ err: error }, 'could not listen for revocations; polling instead')
      })
    }
    try {
      await read()
    } catch (error) {
      counts.failedReads++
      log.warn({ err: error, ageMs: Math.round(performance.now() - readAt) }, 'could not read the revocation ledger')
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
  const pruneTimer = setInterval(() => set.prune(now()), PRUNE_EVERY)

  return {
    /** Puts what was just committed here into force at once. */
    apply (revocations: readonly Revocation[]): void {
      add(revocations)
    },
    /** Calls a listener from now on. @returns a function that ends this */
    follow (listener: RevocationListener): () => void {
      listeners.add(listener)
      return () => { listeners.delete(listener) }
    },
    /** Reads what was committed elsewhere, where the next regular read is too late. */
    catchUp: read,
    /** How long ago the last completed read of the ledger began, in milliseconds, by a monotonic clock. */
    age: () => performance.now() - readAt,
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
      await stopListening()
    }
  }
}

function parseRow (payload: string): LedgerRow | undefined {
  try {
    const row = JSON.parse(payload) as Partial<LedgerRow> | null
    return typeof row?.subject === 'string' && typeof row.expiresAt === 'number' ? row as LedgerRow : undefined
  } catch {
    return undefined
  }
}
