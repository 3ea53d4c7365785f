/** What waits, and from which client network it came. */
export interface Queued {
  readonly network: string
}

/** Waiters served round-robin by client network, and in order of arrival within one network. */
export interface RoundRobinQueue<W extends Queued> {
  readonly size: number
  join (waiter: W): void
  leave (waiter: W): void
  /** Takes out the next one: of all networks the one that was served longest ago. */
  next (): W | undefined
  /** How many wait from this network. */
  countOf (network: string): number
  /** The one of this network that came last. */
  newestOf (network: string): W | undefined
}

export function createRoundRobinQueue<W extends Queued> (): RoundRobinQueue<W> {
  // Maps and sets keep the order of insertion, which is all the order there is: the first network has the next turn,
  // and goes behind all others after it.
  const networks = new Map<string, Set<W>>()
  let size = 0

  function leave (waiter: W): void {
    const waiters = networks.get(waiter.network)
    if (!waiters?.delete(waiter)) return
    size--
    if (waiters.size === 0) networks.delete(waiter.network)
  }

  return {
    get size () {
      return size
    },

    join (waiter) {
      const waiters = networks.get(waiter.network)
      if (waiters) waiters.add(waiter)
      else networks.set(waiter.network, new Set([waiter]))
      size++
    },

    leave,

    next () {
      const [waiters] = networks.values()
      const [waiter] = waiters ?? []
      if (!waiters || !waiter) return undefined
      leave(waiter)
      if (networks.delete(waiter.network)) networks.set(waiter.network, waiters)
      return waiter
    },

    countOf: network => networks.get(network)?.size ?? 0,

    newestOf: network => [...networks.get(network) ?? []].at(-1)
  }
}
