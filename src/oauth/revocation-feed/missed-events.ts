import type { Revocation } from 'countersign-verifier/internal'
import type { LedgerReader } from '../../revocation/ledger-reader.ts'
import { toRevocation } from '../../revocation/ledger-writer.ts'
import type { EventLog } from './event-log.ts'
import { revocationEvents } from './sse-events.ts'

// How many revocations are rendered at a time.
const BATCH = 500

// So much may wait to be sent, however many take it slowly; who comes back then is sent what is live, which is rendered as it is sent.
const MAX_BYTES = 32 * 1024 * 1024

/** What was revoked since a cursor, as events. */
export interface MissedEvents {
  /** The end of the log when the read began: from there on the log has what the read may not have seen. */
  at: number
  /** `undefined` for a cursor of another ledger, or one that is far behind, and while too much waits to be sent. */
  events: readonly Buffer[] | undefined
}

/**
 * Reads the ledger for those who come back with a cursor. Subscribers that were disconnected together have the same one:
 * as long as one of them uses what was read, the others share it.
 *
 * @param maxBytes of events that are held for those who use them
 */
export function createMissedEvents (ledger: Pick<LedgerReader, 'readSince'>, log: EventLog, maxBytes = MAX_BYTES) {
  const inUse = new Map<string, { users: number, missed: Promise<MissedEvents> }>()
  let held = 0

  async function read (since: string): Promise<MissedEvents> {
    const at = log.end
    const found: Revocation[] = []
    const reading = await ledger.readSince(rows => { for (const row of rows) found.push(...toRevocation(row)) }, since)
    if (reading === undefined) return { at, events: undefined }
    const events: Buffer[] = []
    for (let start = 0; start < found.length; start += BATCH) events.push(revocationEvents(found.slice(start, start + BATCH)))
    if (held + sizeOf(events) > maxBytes) return { at, events: undefined }
    held += sizeOf(events)
    return { at, events }
  }

  function drop ({ events = [] }: MissedEvents): void {
    held -= sizeOf(events)
  }

  return {
    /** @returns what `use` returns @throws where the ledger cannot be read */
    async share<Result> (since: string, use: (missed: MissedEvents) => Promise<Result>): Promise<Result> {
      const shared = inUse.get(since) ?? { users: 0, missed: read(since) }
      inUse.set(since, shared)
      shared.users++
      let missed: MissedEvents | undefined
      let own: MissedEvents | undefined
      try {
        missed = await shared.missed
        if (!log.covers(missed.at)) own = await read(since)
        return await use(own ?? missed)
      } finally {
        if (own !== undefined) drop(own)
        if (--shared.users === 0) {
          if (missed !== undefined) drop(missed)
          if (inUse.get(since) === shared) inUse.delete(since)
        }
      }
    }
  }
}

function sizeOf (events: readonly Buffer[]): number {
  return events.reduce((bytes, { length }) => bytes + length, 0)
}
