/** Waiters served round-robin by group, and in order of arrival within one group. @param groupOf the group of a waiter */
export function createRoundRobinQueue<W extends object> (groupOf: (waiter: W) => string) {
  // Maps and sets keep the order of insertion: the first group has the next turn and goes to the end after it.
  const groups = new Map<string, Set<W>>()
  let size = 0

  function leave (waiter: W): void {
    const group = groupOf(waiter)
    const waiters = groups.get(group)
    if (!waiters?.delete(waiter)) return
    size--
    if (waiters.size === 0) groups.delete(group)
  }

  return {
    get size (): number {
      return size
    },

    join (waiter: W): void {
      const group = groupOf(waiter)
      const waiters = groups.get(group)
      if (waiters) waiters.add(waiter)
      else groups.set(group, new Set([waiter]))
      size++
    },

    leave,

    /** Removes the next waiter, of the group that was served longest ago. @param isReady whether a waiter can be served now */
    next (isReady: (waiter: W) => boolean = () => true): W | undefined {
      for (const [group, waiters] of groups) {
        const waiter = [...waiters].find(isReady)
        if (waiter === undefined) continue
        leave(waiter)
        if (groups.delete(group)) groups.set(group, waiters)
        return waiter
      }
      return undefined
    },

    /** The waiter of the largest group that came last. */
    newestOfLargest (): W | undefined {
      const [largest] = [...groups.values()].sort((a, b) => b.size - a.size)
      return [...largest ?? []].at(-1)
    },

    /** How many waiters of a group there are. */
    countOf: (group: string): number => groups.get(group)?.size ?? 0,

    /** All waiters, group by group, in order of arrival within one group. */
    all: (): W[] => [...groups.values()].flatMap(waiters => [...waiters])
  }
}
