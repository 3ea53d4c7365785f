import { createHash } from 'node:crypto'
import { v7 as uuidv7 } from 'uuid'
import { isDatabaseUnavailable } from '../database/errors.ts'
import { networkOf } from '../http/client-address.ts'
import type { AuditEvent } from './audit-event.ts'

/**
 * What repetitions of an event share, beside the event: a network for ten minutes. By `session`, those of one session within a
 * minute count for the network of the first of them, wherever they come from.
 */
export type CoalesceBy = 'network' | 'session'

/** Repetitions of an event, to be added to its row. */
export interface CoalescedEvent {
  /** The same for all that share a row, in every instance. */
  readonly key: string
  /** The id of the row, unless it is there. */
  readonly id: string
  /** The first of them. */
  readonly event: AuditEvent
  readonly times: number
  /** How long ago it happened first and last, in seconds. */
  readonly firstAgo: number
  readonly lastAgo: number
}

export interface CoalescerDeps {
  write (events: readonly CoalescedEvent[]): Promise<void>
  log: { warn (details: object, message: string): void }
  /** Milliseconds since 1970. */
  now?: () => number
  /** Milliseconds between two writes of repetitions. */
  every?: number
}

interface Entry {
  readonly key: string
  readonly id: string
  readonly event: AuditEvent
  readonly firstAt: number
  readonly endsAt: number
  lastAt: number
  /** How often it happened since it was last written. */
  times: number
  isStored: boolean
  /** The database does not take it, and never will. */
  isRefused: boolean
  /** Which rows it is counted among. */
  readonly among: string
}

// Milliseconds.
const WINDOW = 600_000
const MINUTE = 60_000

// As many rows a window and instance say where the events came from. Beyond them, an event still says whose it is.
const MAX_ROWS = 4_096
// Of those that are nobody's: unknown addresses cost a stranger nothing.
const MAX_NAMELESS = MAX_ROWS / 4
// Of one account: a password is locked after 100 failures. A stranger would need many accounts to fill the rows.
const MAX_OF_SUBJECT = MAX_ROWS / 32
// As many rows more say only whose the events are. Beyond them, nothing.
const MAX_VARIOUS = MAX_ROWS
const VARIOUS = 'various'
const NAMELESS = 'nameless'
const MAX_BATCH = 500
const WRITE_EVERY = 10_000

/**
 * Counts the events that a stranger can cause at will, so that a flood of them is a flood neither of rows nor of writes. The
 * first of its kind is written at once, several together; repetitions are counted in memory, and written every ten seconds
 * and when the service stops. No response waits for either: it must not tell the first attempt from the hundredth.
 */
export function createCoalescer ({ write, log, now = Date.now, every = WRITE_EVERY }: CoalescerDeps) {
  const entries = new Map<string, Entry>()
  // How many entries there are of each subject, of none, and of various networks.
  const counts = new Map<string, number>()
  // The minute of a session's latest first event, and the key of the entry that it was counted in.
  const minutes = new Map<string, { minute: number, key: string }>()
  let timer: NodeJS.Timeout | undefined
  let writing = Promise.resolve()
  let willWriteNew = false
  let isFailing = false
  let isClosed = false

  function add (event: AuditEvent, by: CoalesceBy): void {
    const entry = by === 'session' && event.sessionId !== undefined ? entryOfSession(event, event.sessionId) : entryOf(event)
    if (entry.isRefused) return
    entry.times++
    entry.lastAt = now()
    timer ??= setTimeout(onTimer, every).unref()
    // While the database is away, only the timer tries again.
    if (entry.isStored || willWriteNew || isFailing) return
    willWriteNew = true
    enqueue(async () => {
      willWriteNew = false
      await writeDue(({ isStored }) => !isStored)
    }).catch(onFailed)
  }

  function entryOfSession (event: AuditEvent, sessionId: string): Entry {
    const minute = Math.floor(now() / MINUTE)
    const latest = minutes.get(sessionId)
    const known = latest?.minute === minute ? entries.get(latest.key) : undefined
    if (known !== undefined) return known
    const entry = entryOf(event)
    if (minutes.size < MAX_ROWS || latest !== undefined) minutes.set(sessionId, { minute, key: entry.key })
    return entry
  }

  function entryOf (event: AuditEvent): Entry {
    const { action, outcome, actorId, subjectId, detail } = event
    const known = entries.get(keyOf(event, now()))
    if (known !== undefined) return known
    const among = subjectId ?? NAMELESS
    const limit = subjectId === undefined ? MAX_NAMELESS : MAX_OF_SUBJECT
    if (entries.size - countOf(VARIOUS) < MAX_ROWS && countOf(among) < limit) return insert(event, among)
    const anonymous = { action, outcome, detail: { ...detail, various: true } }
    const various = { ...anonymous, actorId, subjectId }
    return entries.get(keyOf(various, now())) ?? (countOf(VARIOUS) < MAX_VARIOUS ? insert(various, VARIOUS) : entries.get(keyOf(anonymous, now())) ?? insert(anonymous, VARIOUS))
  }

  function insert (event: AuditEvent, among: string): Entry {
    const at = now()
    const entry = { key: keyOf(event, at), id: uuidv7(), event, firstAt: at, lastAt: at, endsAt: (windowOf(at) + 1) * WINDOW, times: 0, isStored: false, isRefused: false, among }
    entries.set(entry.key, entry)
    counts.set(among, countOf(among) + 1)
    return entry
  }

  function forgetOld (): void {
    for (const [key, { endsAt, times, among }] of entries) {
      if (endsAt > now() || times > 0) continue
      entries.delete(key)
      const count = countOf(among) - 1
      if (count === 0) counts.delete(among)
      else counts.set(among, count)
    }
    for (const [sessionId, { minute }] of minutes) if (minute < Math.floor(now() / MINUTE)) minutes.delete(sessionId)
  }

  const countOf = (among: string): number => counts.get(among) ?? 0

  // One after the other: what happens meanwhile is written together by the next.
  function enqueue (task: () => Promise<void>): Promise<void> {
    const done = writing.then(task)
    writing = done.catch(() => {})
    return done
  }

  async function writeDue (isDue: (entry: Entry) => boolean): Promise<void> {
    const due = [...entries.values()].filter(entry => entry.times > 0 && isDue(entry))
    for (let start = 0; start < due.length; start += MAX_BATCH) {
      const batch = due.slice(start, start + MAX_BATCH)
      await writeBatch(batch).catch(async (error: unknown) => {
        if (isDatabaseUnavailable(error)) throw error
        await writeOneByOne(batch)
      })
    }
    isFailing = false
  }

  async function writeBatch (batch: readonly Entry[]): Promise<void> {
    const counted = batch.map(entry => ({ entry, times: entry.times }))
    await write(counted.map(({ entry, times }) => toEvent(entry, times)))
    for (const { entry, times } of counted) {
      entry.times -= times
      entry.isStored = true
    }
  }

  // What the database does not take must not keep the rest from being written.
  async function writeOneByOne (batch: readonly Entry[]): Promise<void> {
    for (const entry of batch) {
      await writeBatch([entry]).catch((error: unknown) => {
        if (isDatabaseUnavailable(error)) throw error
        const { action, outcome, subjectId } = entry.event
        log.warn({ err: error, action, outcome, subjectId, lost: entry.times }, 'the database does not take an audit event; it is lost')
        entry.isRefused = true
        entry.times = 0
      })
    }
  }

  function toEvent ({ key, id, event, firstAt, lastAt }: Entry, times: number): CoalescedEvent {
    const ago = (at: number) => Math.max(0, now() - at) / 1000
    return { key, id, event, times, firstAgo: ago(firstAt), lastAgo: ago(lastAt) }
  }

  function onFailed (error: unknown): void {
    if (!isFailing) log.warn({ err: error }, 'could not write audit events; trying again')
    isFailing = true
  }

  function onTimer (): void {
    flush().catch(onFailed).finally(() => {
      forgetOld()
      timer = entries.size === 0 || isClosed ? undefined : setTimeout(onTimer, every).unref()
    })
  }

  const flush = (): Promise<void> => enqueue(() => writeDue(() => true))

  return {
    add,
    /** Writes all that was counted. @throws what the database throws */
    flush,
    /** Writes all that was counted, and stops. */
    async close (): Promise<void> {
      isClosed = true
      clearTimeout(timer)
      await flush().catch((error: unknown) => {
        const lost = [...entries.values()].reduce((sum, { times }) => sum + times, 0)
        log.warn({ err: error, lost }, 'could not write audit events before stopping')
      })
    }
  }
}

function windowOf (at: number): number {
  return Math.floor(at / WINDOW)
}

function keyOf ({ action, outcome, subjectId, ip, detail }: AuditEvent, at: number): string {
  const parts = ['network', windowOf(at), action, outcome, subjectId, networkOf(ip ?? null), detail]
  return createHash('sha256').update(JSON.stringify(parts)).digest('base64url')
}
