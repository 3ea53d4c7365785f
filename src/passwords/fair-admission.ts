import { createRoundRobinQueue, type Queued } from './round-robin-queue.ts'

/** Who waits: the client's network, and whether the client is known. */
export interface Waiter extends Queued {
  readonly known: boolean
}

/**
 * Decides who may wait in the hash queue, and who is next.
 *
 * A network has at most an eighth of the places (at least one), unknown clients at most two thirds of all. Known and unknown
 * clients wait in two lines, each served round-robin by network, and the lines take turns while both have somebody waiting:
 * a storm of unknown clients costs a known one the time of one hash, and known clients cannot starve unknown ones either.
 *
 * @param limit how many may wait in all
 */
export function createFairAdmission<W extends Waiter> (limit: number) {
  const limitOfNetwork = Math.max(1, Math.floor(limit / 8))
  const limitOfUnknown = Math.max(1, Math.floor(limit * 2 / 3))
  const known = createRoundRobinQueue<W>()
  const unknown = createRoundRobinQueue<W>()
  let knownWentLast = false

  const size = () => known.size + unknown.size
  const lineOf = (waiter: W) => waiter.known ? known : unknown

  return {
    get size (): number {
      return size()
    },

    /** How many known clients wait. */
    get knownSize (): number {
      return known.size
    },

    /**
     * Admits a waiter if there is room for it. A known client whose network has its share displaces the newest unknown client
     * of that network: otherwise everybody who shares an address with an attacker would be locked out.
     */
    admit (waiter: W): { admitted: boolean, displaced?: W } {
      const { network } = waiter
      const line = lineOf(waiter)
      if (known.countOf(network) + unknown.countOf(network) >= limitOfNetwork) {
        const displaced = waiter.known ? unknown.newestOf(network) : undefined
        if (!displaced) return { admitted: false }
        unknown.leave(displaced)
        line.join(waiter)
        return { admitted: true, displaced }
      }
      if (size() >= limit || (!waiter.known && unknown.size >= limitOfUnknown)) return { admitted: false }
      line.join(waiter)
      return { admitted: true }
    },

    leave (waiter: W): void {
      lineOf(waiter).leave(waiter)
    },

    /** Removes the waiter whose turn it is. */
    next (): W | undefined {
      const line = known.size > 0 && !(knownWentLast && unknown.size > 0) ? known : unknown
      knownWentLast = line === known
      return line.next()
    }
  }
}
