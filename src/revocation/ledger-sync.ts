import type { Revocation, RevocationSet } from 'countersign-verifier/internal'
import type { Database, Subscription } from '../database/database.ts'
import type { LedgerReader } from './ledger-reader.ts'
import { CHANNEL, LEDGER_LIFE, toRevocation, type LedgerRow } from './ledger-writer.ts'

const POLL_EVERY = 1_000
const PRUNE_EVERY = 60_000

/** Is told what this instance comes to know, in the order in which it does, after it is in force here. */
export interface RevocationListener {
  /** Something was revoked, here or elsewhere. Told once, however often it is heard of and read. */
  onRevocation (revocation: Revocation): void
  /**
   * A read of the ledger was completed: everything that it found has been told, now or before.
   *
   * @param cursor where it stood
   */
  onRead (cursor: string): void
}

/** Keeps the set of this instance in step with the ledger. */
export interface LedgerSync {
  /** Puts what was just committed here into force at once. */
  apply (revocations: readonly Revocation[]): void
  /** Tells a listener from now on. @returns what ends that */
  follow (listener: RevocationListener): () => void
  /** Reads what was committed elsewhere, for whom the next regular read is too late. */
  catchUp (): Promise<void>
  /** How long ago the last completed read of the ledger began, in milliseconds, by a clock that only goes forward. */
  age (): number
  /** The database's clock, in Unix seconds, as the last read told it. */
  now (): number
  /** The seconds that the last revocation took from the beginning of its transaction to this instance. */
  lag (): number
  /** What was read and heard, and how many reads failed. */
  readonly counts: { read: number, heard: number, failed: number, lost: number }
  close (): Promise<void>
}

export interface LedgerSyncDeps {
  ledger: LedgerReader
  database: Pick<Database, 'listen'>
  set: RevocationSet
  log: { warn (details: object, message: string): void }
  /** Hears of revocations as they commit; without it only the reads remain, as behind a pooler that swallows LISTEN. */
  listens?: boolean
}

/**
 * Begins to follow the ledger: listens first, then reads all of it, and only then returns, so that an instance opens its
 * port knowing everything. After that it hears of what commits, and reads once a second what it may have missed.
 */
export async function followLedger ({ ledger, database, set, log, listens = true }: LedgerSyncDeps): Promise<LedgerSync> {
  const counts = { read: 0, heard: 0, failed: 0, lost: 0 }
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
    counts.heard++
    const row = readRow(payload)
    if (row === undefined) return log.warn({ payload }, 'heard something that is no revocation')
    merge([row])
  }

  function merge (rows: readonly LedgerRow[]): void {
    for (const row of rows) {
      if (apply(toRevocation(row))) lag = Math.max(0, now() - (row.expiresAt - LEDGER_LIFE))
    }
  }

  /** @returns whether any of it was new */
  function apply (revocations: readonly Revocation[]): boolean {
    const news = revocations.filter(set.add)
    for (const revocation of news) emit(listener => listener.onRevocation(revocation))
    return news.length > 0
  }

  // What becomes of a listener must not keep this instance from learning.
  function emit (say: (listener: RevocationListener) => void): void {
    for (const listener of listeners) {
      try {
        say(listener)
      } catch (error) {
        log.warn({ err: error }, 'a listener failed at what it was told of revocations')
      }
    }
  }

  async function listen (): Promise<void> {
    const opened = await database.listen(CHANNEL, {
      onNotify: onNotify,
      onLost: cause => {
        counts.lost++
        listening = undefined
        subscription = undefined
        log.warn({ err: cause }, 'no longer hears of revocations; reads them every second')
      }
    })
    if (closed) await opened.close()
    else subscription = opened
  }

  async function read (): Promise<void> {
    const began = performance.now()
    const reading = await ledger.read(merge, cursor)
    counts.read++
    if (began < readAt) return
    cursor = reading.cursor
    readAt = began
    offset = reading.now - performance.now() / 1000
    emit(listener => listener.onRead(reading.cursor))
  }

  async function close (): Promise<void> {
    closed = true
    await listening
    await subscription?.close()
  }

  // Neither waits for the other: where there is no connection left to listen on, the reads matter all the more.
  async function keepUp (): Promise<void> {
    if (listens) {
      listening ??= listen().catch((error: unknown) => {
        listening = undefined
        log.warn({ err: error }, 'cannot listen for revocations; reads them every second')
      })
    }
    try {
      await read()
    } catch (error) {
      counts.failed++
      log.warn({ err: error, ageMs: Math.round(performance.now() - readAt) }, 'could not read the ledger of revocations')
    }
  }

  try {
    if (listens) await (listening = listen())
    await read()
  } catch (error) {
    await close().catch(() => {})
    throw error
  }
  lag = 0
  let pending = Promise.resolve()
  let poll = setTimeout(function again () {
    pending = keepUp().finally(() => { if (!closed) poll = setTimeout(again, POLL_EVERY) })
  }, POLL_EVERY)
  const prune = setInterval(() => set.prune(now()), PRUNE_EVERY)

  return {
    apply,
    follow (listener) {
      listeners.add(listener)
      return () => { listeners.delete(listener) }
    },
    catchUp: read,
    age: () => performance.now() - readAt,
    now,
    lag: () => lag,
    counts,
    async close () {
      closed = true
      clearTimeout(poll)
      clearInterval(prune)
      await pending
      await close()
    }
  }
}

function readRow (payload: string): LedgerRow | undefined {
  try {
    const row = JSON.parse(payload) as Partial<LedgerRow> | null
    return typeof row?.subject === 'string' && typeof row.expiresAt === 'number' ? row as LedgerRow : undefined
  } catch {
    return undefined
  }
}
