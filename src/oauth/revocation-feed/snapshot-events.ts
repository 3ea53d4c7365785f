import type { RevocationPiece, RevocationSet } from 'countersign-verifier/internal'
import type { EventLog } from './event-log.ts'
import { revocationEvents } from './sse-events.ts'

// Subscribers that connected together are at about the same place, so few pieces serve them all.
const CACHED = 64

interface Rendered {
  layout: object
  events: Buffer
  /** The end of the log then: whoever subscribed before has been told everything since. */
  at: number
}

/** Everything that is revoked, as events: rendered piece by piece, and once for all subscribers that need the same piece. */
export function createSnapshotEvents (set: Pick<RevocationSet, 'pieces'>, log: Pick<EventLog, 'end'>) {
  const cache = new Map<number, Rendered>()

  function render ({ layout, index, read }: RevocationPiece, since: number): Buffer {
    if (layout === undefined) return revocationEvents(read())
    const known = cache.get(index)
    if (known !== undefined && known.layout === layout && known.at >= since) return known.events
    const events = revocationEvents(read())
    cache.delete(index)
    cache.set(index, { layout, events, at: log.end })
    const [oldest] = cache.size > CACHED ? cache.keys() : []
    if (oldest !== undefined) cache.delete(oldest)
    return events
  }

  return {
    /**
     * @param since the end of the log when the subscriber began to be told what is new
     * @returns the events of everything that was revoked then, in pieces of some 60 KB
     */
    * pieces (since: number): Generator<Buffer> {
      for (const piece of set.pieces()) {
        const events = render(piece, since)
        if (events.length > 0) yield events
      }
    }
  }
}
