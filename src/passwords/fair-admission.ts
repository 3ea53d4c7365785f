import { createRoundRobinQueue } from '../http/round-robin-queue.ts'

/** Who waits. */
export interface Waiter {
  /** The client's network. */
  readonly network: string
  /** The account that the client is known to, if it is. */
  readonly account: string | undefined
}

// A person at one device needs one place; a second one spares who has two devices, or sends a request again.
const PLACES_OF_ACCOUNT = 2

/**
 * Decides who may wait in the hash queue, and who is next.
 *
 * A network has at most an eighth of the places (at least one), unknown clients at most two thirds of all. What is left for
 * known clients is shared by account, not by who qualifies, for anybody can be known to an account of their own: one has two
 * places at most, and gives the second up where another account has none. Beyond its two places a known client counts as an
 * unknown one, by its network: it is refused only where a stranger would be.
 *
 * Known and unknown clients wait in two lines, served round-robin by account and by network. The lines take turns while both
 * have somebody waiting: a storm of unknown clients costs a known one the time of one hash, and known clients cannot starve
 * unknown ones either.
 *
 * @param limit how many may wait in all
 */
export function createFairAdmission<W extends Waiter> (limit: number) {
  const limitOfNetwork = Math.max(1, Math.floor(limit / 8))
  const limitOfUnknown = Math.max(1, Math.floor(limit * 2 / 3))
  const known = createRoundRobinQueue<W>(({ account = '' }) => account)
  const unknown = createRoundRobinQueue<W>(({ network }) => network)
  const reserved = new WeakSet<W>()
  const knownOfNetwork = new Map<string, number>()
  let knownWentLast = false

  const size = () => known.size + unknown.size

  function join (waiter: W, isReserved: boolean): void {
    if (!isReserved) return unknown.join(waiter)
    reserved.add(waiter)
    known.join(waiter)
    count(waiter, 1)
  }

  function leave (waiter: W): void {
    if (!reserved.has(waiter)) return unknown.leave(waiter)
    known.leave(waiter)
    release(waiter)
  }

  function release (waiter: W): void {
    if (reserved.delete(waiter)) count(waiter, -1)
  }

  function count ({ network }: W, change: 1 | -1): void {
    const now = knownCount(network) + change
    if (now === 0) knownOfNetwork.delete(network)
    else knownOfNetwork.set(network, now)
  }

  function knownCount (network: string): number {
    return knownOfNetwork.get(network) ?? 0
  }

  function isFullFor ({ network }: W, isReserved: boolean): boolean {
    if (knownCount(network) + unknown.countOf(network) >= limitOfNetwork) return true
    return size() >= limit || (!isReserved && unknown.size >= limitOfUnknown)
  }

  /** Who has to make room for a known client: somebody of its network where that has its share, and else of any. */
  function findDisplaced ({ network, account = '' }: W): W | undefined {
    const hasShare = knownCount(network) + unknown.countOf(network) >= limitOfNetwork
    if (hasShare && unknown.countOf(network) > 0) return unknown.all().findLast(waiter => waiter.network === network)
    if (known.countOf(account) > 0) return undefined
    const rivals = known.all().filter(waiter => !hasShare || waiter.network === network)
    const second = rivals.findLast(waiter => known.countOf(waiter.account ?? '') === PLACES_OF_ACCOUNT)
    if (second !== undefined || hasShare) return second
    const most = Math.max(...knownOfNetwork.values())
    return most > knownCount(network) + 1 ? rivals.findLast(waiter => knownCount(waiter.network) === most) : undefined
  }

  return {
    get size (): number {
      return size()
    },

    /** How many wait in the places that are kept for known clients. */
    get knownSize (): number {
      return known.size
    },

    /**
     * Admits a waiter if there is room for it, or if it has a place by its account and somebody has to make room: the newest unknown client of
     * its network where that has its share, for otherwise everybody who shares an address with an attacker would be locked
     * out; the second waiter of an account; or one of the network that has the most known clients.
     */
    admit (waiter: W): { admitted: boolean, displaced?: W } {
      const isReserved = waiter.account !== undefined && known.countOf(waiter.account) < PLACES_OF_ACCOUNT
      if (!isFullFor(waiter, isReserved)) {
        join(waiter, isReserved)
        return { admitted: true }
      }
      const displaced = isReserved ? findDisplaced(waiter) : undefined
      if (displaced === undefined) return { admitted: false }
      leave(displaced)
      join(waiter, isReserved)
      return { admitted: true, displaced }
    },

    leave,

    /** Removes the waiter whose turn it is. */
    next (): W | undefined {
      const line = known.size > 0 && !(knownWentLast && unknown.size > 0) ? known : unknown
      knownWentLast = line === known
      const waiter = line.next()
      if (waiter !== undefined) release(waiter)
      return waiter
    }
  }
}
