/** A place among those who may do something at the same time. */
export interface Turn {
  readonly isGranted: boolean
  /** Resolves when it is this one's turn. */
  readonly granted: Promise<void>
  /** Ends the turn, or the wait for it. */
  release (): void
}

interface Waiting {
  clientId: string
  grant: () => void
}

/** Grants at most `limit` turns at a time. Of those who wait, the client with the fewest turns is next: none can hold up the others. */
export function createTurns (limit: number) {
  const waiting = new Set<Waiting>()
  const held = new Map<string, number>()
  let taken = 0

  const heldBy = ({ clientId }: Waiting) => held.get(clientId) ?? 0

  function grantNext (): void {
    if (taken >= limit) return
    let next: Waiting | undefined
    for (const one of waiting) if (next === undefined || heldBy(one) < heldBy(next)) next = one
    if (next === undefined) return
    waiting.delete(next)
    count(next.clientId, 1)
    next.grant()
  }

  function count (clientId: string, change: 1 | -1): void {
    taken += change
    const turns = (held.get(clientId) ?? 0) + change
    if (turns === 0) held.delete(clientId)
    else held.set(clientId, turns)
  }

  return {
    take (clientId: string): Turn {
      let [isGranted, isReleased] = [false, false]
      let begin = () => {}
      const granted = new Promise<void>(resolve => { begin = resolve })
      const place: Waiting = {
        clientId,
        grant () {
          isGranted = true
          begin()
        }
      }
      waiting.add(place)
      grantNext()
      return {
        get isGranted () { return isGranted },
        granted,
        release () {
          if (isReleased) return
          isReleased = true
          waiting.delete(place)
          if (!isGranted) return
          count(clientId, -1)
          grantNext()
        }
      }
    }
  }
}
