/** What waits, and the client network it came from. */
export interface Queued {
  readonly network: string
}

/** Waiters served round-robin by client network, and in order of arrival within one network. */
export function createRoundRobinQueue<W extends Queued> () {
  // Maps and sets keep the order of insertion: the first network has the next turn and goes to the end after it.
  const networks = new Map<string, Set<W>>()
  let size = 0

  function leave (waiter: W): void {
    const waiters = networks.get(waiter.network)
    if (!waiters?.delete(waiter)) return
    size--
    if (waiters.size === 0) networks.delete(waiter.network)
  }

  return {
    get size (): number {
      return size
    },

    join (waiter: W): void {
      const waiters = networks.get(waiter.network)
      if (waiters) waiters.add(waiter)
      else networks.set(waiter.network, new Set([waiter]))
      size++
    },

    leave,

    /** Removes the next waiter, of the network that was served longest ago. */
    next (): W | undefined {
      const [waiters] = networks.values()
      const [waiter] = waiters ?? []
      if (!waiters || !waiter) return undefined
      leave(waiter)
      if (networks.delete(waiter.network)) networks.set(waiter.network, waiters)
      return waiter
    },

    /** How many waiters of a network there are. */
    countOf: (network: string): number => networks.get(network)?.size ?? 0,

    /** The waiter of a network that came last. */
    newestOf: (network: string): W | undefined => [...networks.get(network) ?? []].at(-1)
  }
}
