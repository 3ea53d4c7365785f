/** The last events of the feed, once for all subscribers: each knows how far it has come. */
export type EventLog = ReturnType<typeof createEventLog>

/** @param maxBytes of events that are kept; the oldest are dropped first */
export function createEventLog (maxBytes: number) {
  let kept: Buffer[] = []
  let dropped = 0
  let first = 0
  let bytes = 0

  function drop (): void {
    bytes -= kept[dropped]?.length ?? 0
    dropped++
    first++
    if (dropped * 2 < kept.length) return
    kept = kept.slice(dropped)
    dropped = 0
  }

  return {
    /** The position of the next event. */
    get end (): number { return first + kept.length - dropped },
    append (events: Buffer): void {
      kept.push(events)
      bytes += events.length
      while (bytes > maxBytes) drop()
    },
    /** Whether everything from a position on is still there. */
    covers: (position: number): boolean => position >= first,
    /** @returns `undefined` at the end */
    read: (position: number): Buffer | undefined => kept[position - first + dropped]
  }
}
