import type { Revocation, RevocationSet } from 'countersign-verifier/core'
import type { Database, Subscription } from '../database/database.ts'
import { CHANNEL, LEDGER_LIFE, toRevocation, type LedgerRow, type LedgerStore } from './store.ts'

const POLL_EVERY = 1_000
const PRUNE_EVERY = 60_000

/** Keeps the set of this instance in step with the ledger. */
export interface Propagation {
  /** Puts what was just committed here into force at once. */
  apply (revocations: readonly Revocation[]): void
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
  let listening: Promise<void> | undefined
  let subscription: Subscription | undefined
  let snapshot: string | undefined
  let readAt = -Infinity
  let offset = 0
  let lag = 0
  let closed = false

  const now = () => performance.now() / 1000 + offset

  function hear (payload: string): void {
    counts.heard++
    const row = readRow(payload)
    if (row === undefined) return log.warn({ payload }, 'heard something that is no revocation')
    learn([row])
  }

  function learn (rows: readonly LedgerRow[]): void {
    for (const row of rows) {
      for (const revocation of toRevocation(row)) {
        if (!isKnown(revocation)) lag = Math.max(0, now() - (row.expiresAt - LEDGER_LIFE))
        set.add(revocation)
      }
    }
  }

  function isKnown (revocation: Revocation): boolean {
    if (revocation.kind === 'session') return set.hasSession(revocation.id)
    if (revocation.kind === 'client') return set.hasClient(revocation.id)
    return set.has({ sessionId: '', subject: revocation.id, version: revocation.minVersion - 1 })
  }

  // What answers after something broke may be another server than before, one that knows less: nothing of the cursor
  // need hold there.
  function startOver (): void {
    snapshot = undefined
  }

  async function listen (): Promise<void> {
    const opened = await database.listen(CHANNEL, {
      onNotify: hear,
      onLost: cause => {
        counts.lost++
        listening = undefined
        subscription = undefined
        startOver()
        log.warn({ err: cause }, 'no longer hears of revocations; reads them every second')
      }
    })
    if (closed) await opened.close()
    else subscription = opened
  }

  async function read (): Promise<void> {
    const began = performance.now()
    const { lost } = counts
    const reading = await ledger.read(learn, snapshot)
    counts.read++
    if (began < readAt) return
    snapshot = counts.lost === lost ? reading.snapshot : undefined
    readAt = began
    offset = reading.now - performance.now() / 1000
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
      startOver()
      log.warn({ err: error, ageMs: Math.round(performance.now() - readAt) }, 'could not read the ledger of revocations')
    }
  }

  if (listens) await (listening = listen())
  await read()
  lag = 0
  let pending = Promise.resolve()
  let poll = setTimeout(function again () {
    pending = keepUp().finally(() => { if (!closed) poll = setTimeout(again, POLL_EVERY) })
  }, POLL_EVERY)
  const prune = setInterval(() => set.prune(now()), PRUNE_EVERY)

  return {
    apply (revocations) {
      for (const revocation of revocations) set.add(revocation)
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
      await listening
      await subscription?.close()
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
