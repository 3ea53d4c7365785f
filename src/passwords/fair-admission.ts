import { createRoundRobinQueue } from './round-robin-queue.ts'
import type { Queued } from './round-robin-queue.ts'

/** Who waits: from which client network, and whether the client is known. */
export interface Waiter extends Queued {
  readonly known: boolean
}

/**
 * The places of the queue and whose they are (PROTOCOL §11).
 *
 * No network holds more than an eighth of them (at least one), strangers no more than two thirds. Known clients and
 * strangers are two lines, each served round-robin by network, which take turns while both have somebody waiting: a
 * storm of strangers costs a known client one hash, and known clients cannot starve strangers either.
 */
export interface FairAdmission<W extends Waiter> {
  readonly size: number
  /** How many known clients wait. */
  readonly knownSize: number
  /**
   * Takes a place if one is free to this waiter. A known client whose network is at its share displaces that network's
   * newest stranger, or else whoever shares an address with an attacker would be locked out with them.
   */
  admit (waiter: W): { taken: boolean, displaced?: W }
  leave (waiter: W): void
  /** Takes out the one whose turn it is. */
  next (): W | undefined
}

/** @param limit how many may wait in all */
export function createFairAdmission<W extends Waiter> (limit: number): FairAdmission<W> {
  const placesOfNetwork = Math.max(1, Math.floor(limit / 8))
  const placesOfStrangers = Math.max(1, Math.floor(limit * 2 / 3))
  const known = createRoundRobinQueue<W>()
  const strangers = createRoundRobinQueue<W>()
  let knownWentLast = false

  const size = () => known.size + strangers.size
  const lineOf = (waiter: W) => waiter.known ? known : strangers

  return {
    get size () {
      return size()
    },

    get knownSize () {
      return known.size
    },

    admit (waiter) {
      const { network } = waiter
      const line = lineOf(waiter)
      if (known.countOf(network) + strangers.countOf(network) >= placesOfNetwork) {
        const displaced = waiter.known ? strangers.newestOf(network) : undefined
        if (!displaced) return { taken: false }
        strangers.leave(displaced)
        line.join(waiter)
        return { taken: true, displaced }
      }
      if (size() >= limit || (!waiter.known && strangers.size >= placesOfStrangers)) return { taken: false }
      line.join(waiter)
      return { taken: true }
    },

    leave: waiter => lineOf(waiter).leave(waiter),

    next () {
      const line = known.size > 0 && !(knownWentLast && strangers.size > 0) ? known : strangers
      knownWentLast = line === known
      return line.next()
    }
  }
}
