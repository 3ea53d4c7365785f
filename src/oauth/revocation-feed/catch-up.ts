import { Problem } from '../../errors.ts'
import type { EventLog } from './event-log.ts'
import type { MissedEvents, createMissedEvents } from './missed-events.ts'
import type { createSnapshotEvents } from './snapshot-events.ts'
import type { SseSubscriber } from './sse-subscriber.ts'
import { createTurns } from './turns.ts'

export interface CatchUpDeps {
  log: Pick<EventLog, 'end'>
  snapshot: ReturnType<typeof createSnapshotEvents>
  missed: ReturnType<typeof createMissedEvents>
}

// When a service restarts, its subscribers come back together. So few of them are sent to at a time that other requests are
// answered meanwhile, and that the first of them are soon done.
const SNAPSHOTS_AT_ONCE = 16
const READS_AT_ONCE = 4

// Milliseconds. A follower gives up a connection that brings nothing for 15 s, so one that waits for its turn gets a piece now and then.
const WAITING_PIECE_EVERY = 5_000
// Who reads nothing for this long gives up its turn.
const STALL = 1_000
const LONG_STALL = 5_000

/** Sends subscribers everything that is live, or what they have missed since a cursor. */
export function createCatchUp ({ log, snapshot, missed }: CatchUpDeps) {
  const snapshots = createTurns(SNAPSHOTS_AT_ONCE)
  const reads = createTurns(READS_AT_ONCE)

  async function sendSnapshot (subscriber: SseSubscriber): Promise<void> {
    const since = log.end
    subscriber.open(since)
    let turn = snapshots.take(subscriber.clientId)
    try {
      for (const events of snapshot.pieces(since)) {
        if (!turn.isGranted) await within(WAITING_PIECE_EVERY, Promise.race([turn.granted, subscriber.ended]))
        const sent = subscriber.sendBatch(events)
        if (await within(STALL, sent)) continue
        turn.release()
        await sent
        turn = snapshots.take(subscriber.clientId)
      }
    } finally {
      turn.release()
    }
  }

  async function sendMissed (subscriber: SseSubscriber, { at, events }: MissedEvents): Promise<boolean> {
    if (events === undefined) return false
    subscriber.open(at)
    for (const batch of events) {
      if (await within(LONG_STALL, subscriber.sendBatch(batch))) continue
      subscriber.disconnect('too slow')
      throw new Problem('unavailable')
    }
    return true
  }

  /** @throws where the ledger cannot be read, or the subscriber has disconnected */
  return async function catchUp (subscriber: SseSubscriber, since?: string): Promise<void> {
    if (since !== undefined) {
      const turn = reads.take(subscriber.clientId)
      try {
        await Promise.race([turn.granted, subscriber.ended])
        // Nothing is read for who has left.
        subscriber.assertConnected()
        const isSent = await missed.share(since, found => {
          // How slowly it is taken holds up nobody's read.
          turn.release()
          return sendMissed(subscriber, found)
        })
        if (isSent) return
      } finally {
        turn.release()
      }
    }
    await sendSnapshot(subscriber)
  }
}

/** @returns whether the promise was fulfilled within so many milliseconds; rejects when it was rejected within them */
async function within (ms: number, promise: Promise<void>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<boolean>(resolve => { timer = setTimeout(() => resolve(false), ms) })
  try {
    return await Promise.race([promise.then(() => true), late])
  } finally {
    clearTimeout(timer)
  }
}
