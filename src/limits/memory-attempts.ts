import { DELAY_PERIOD, FIRST_DELAYED_HIT, MAX_DELAY, retention, type AttemptKey, type AttemptStore, type KeyState } from './attempt-store.ts'

interface Entry {
  /** Seconds, oldest first. */
  stamps: number[]
  expiresAt: number
}

const MAX_KEYS = 50_000
// Tells hits of one moment apart.
const TICK = 1e-6

/**
 * Counts attempts in this process, for a service on the embedded database, which has no other instance.
 *
 * @param maxKeys how many keys are kept; those that were used least recently are dropped first
 * @param clock seconds, monotonic
 */
export function createMemoryAttempts (maxKeys = MAX_KEYS, clock: () => number = () => performance.now() / 1000): AttemptStore & { readonly size: number } {
  // In the order of their last use.
  const entries = new Map<string, Entry>()

  function stateOf ({ key, windows, isDelayed }: AttemptKey, now: number): KeyState {
    const stamps = entries.get(key)?.stamps ?? []
    const within = (seconds: number) => stamps.filter(stamp => stamp > now - seconds)
    const waits = windows.map(({ limit, seconds }) => (stamps.at(-limit) ?? -Infinity) + seconds - now)
    const lately = isDelayed ? within(DELAY_PERIOD).length : 0
    const delay = lately < FIRST_DELAYED_HIT ? 0 : (stamps.at(-1) ?? now) + Math.min(MAX_DELAY, 2 ** (lately - FIRST_DELAYED_HIT)) - now
    return {
      wait: Math.max(0, delay, ...waits),
      windows: windows.map(({ seconds }) => {
        const [oldest = now, ...others] = within(seconds)
        return { used: within(seconds).length === 0 ? 0 : others.length + 1, freesIn: oldest + seconds - now }
      }),
      stamp: 0
    }
  }

  function add (wanted: AttemptKey, now: number): number {
    const { key } = wanted
    const kept = retention(wanted)
    const stamps = entries.get(key)?.stamps.filter(stamp => stamp > now - kept) ?? []
    const stamp = Math.max(now, (stamps.at(-1) ?? 0) + TICK)
    entries.delete(key)
    entries.set(key, { stamps: [...stamps, stamp], expiresAt: now + kept })
    return stamp
  }

  function makeRoom (now: number): void {
    for (const [key, { expiresAt }] of entries) {
      if (entries.size <= maxKeys && expiresAt > now) return
      entries.delete(key)
    }
  }

  const store: AttemptStore & { readonly size: number } = {
    isDatabase: false,
    get size () { return entries.size },

    async reserve (keys) {
      const now = clock()
      const before = keys.map(key => stateOf(key, now))
      const isAdmitted = before.every(({ wait }) => wait === 0)
      if (!isAdmitted) return { isAdmitted, keys: before, store }
      const stamps = keys.map(key => add(key, now))
      makeRoom(now)
      return { isAdmitted, keys: keys.map((key, index) => ({ ...stateOf(key, now), wait: 0, stamp: stamps[index] ?? now })), store }
    },

    async giveBack (hits) {
      for (const { key, stamp } of hits) {
        const entry = entries.get(key)
        if (entry === undefined) continue
        entry.stamps = entry.stamps.filter(other => other !== stamp)
        // Otherwise attempts that are given back would push out the keys that count something.
        if (entry.stamps.length === 0) entries.delete(key)
      }
    },

    async forget (keys) {
      for (const key of keys) entries.delete(key)
    }
  }
  return store
}
