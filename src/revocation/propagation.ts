import type { Revocation, RevocationSet } from 'countersign-verifier'
import type { Database, Subscription } from '../database/database.ts'
import { CHANNEL, toRevocation, type LedgerRow, type LedgerStore } from './store.ts'

const POLL_EVERY = 1_000
const POLL_TIMEOUT = 2_000
const PRUNE_EVERY = 60_000

/** Keeps the set of this instance in step with the ledger. */
export interface Propagation {
  /** Puts what was just committed here into force at once. */
  apply (revocations: readonly Revocation[]): void
  /** How long ago the last completed read of the ledger began, in milliseconds, by a clock that only goes forward. */
  age (): number
  /** The database's clock, in Unix seconds, as the last read told it. */
  now (): number
  /** What was read and heard, and how many reads failed. */
  readonly counts: { read: number, heard: number, failed: number, lost: number }
  close (): Promise<void>
}

/** What keeping in step takes. */
export interface PropagationParts {
  ledger: LedgerStore
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
export async function followLedger ({ ledger, database, set, log, listens = true }: PropagationParts): Promise<Propagation> {
  const counts = { read: 0, heard: 0, failed: 0, lost: 0 }
  const merge = (revocations: readonly Revocation[]) => { for (const revocation of revocations) set.add(revocation) }
  let subscription: Subscription | undefined
  let snapshot: string | undefined
  let readAt = -Infinity
  let offset = 0
  let closed = false

  function hear (payload: string): void {
    try {
      merge(toRevocation(JSON.parse(payload) as LedgerRow))
      counts.heard++
    } catch (error) {
      log.warn({ err: error }, 'heard something on the channel of revocations that is none; the next read brings what it was')
    }
  }

  async function listen (): Promise<void> {
    if (!listens || closed || subscription !== undefined) return
    subscription = await database.listen(CHANNEL, {
      onNotify: hear,
      onLost: cause => {
        counts.lost++
        subscription = undefined
        log.warn({ err: cause }, 'no longer hears of revocations; reads them every second')
      }
    })
  }

  async function read (): Promise<void> {
    const began = performance.now()
    const reading = await within(POLL_TIMEOUT, ledger.read(snapshot))
    merge(reading.revocations)
    snapshot = reading.snapshot
    readAt = began
    offset = reading.now - performance.now() / 1000
    counts.read++
  }

  async function keepUp (): Promise<void> {
    try {
      await listen()
      await read()
    } catch (error) {
      counts.failed++
      log.warn({ err: error, ageMs: Math.round(performance.now() - readAt) }, 'could not read the ledger of revocations')
    }
  }

  const now = () => performance.now() / 1000 + offset

  await listen()
  await read()
  let pending = Promise.resolve()
  let poll = setTimeout(function again () {
    pending = keepUp().finally(() => { if (!closed) poll = setTimeout(again, POLL_EVERY) })
  }, POLL_EVERY)
  const prune = setInterval(() => set.prune(now()), PRUNE_EVERY)

  return {
    apply: merge,
    age: () => performance.now() - readAt,
    now,
    counts,
    async close () {
      closed = true
      clearTimeout(poll)
      clearInterval(prune)
      await pending
      await subscription?.close()
    }
  }
}

function within<T> (ms: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${ms} ms`)), ms)
  })
  return Promise.race([work, late]).finally(() => clearTimeout(timer))
}
