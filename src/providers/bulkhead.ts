import { Problem } from '../errors.ts'
import { createRoundRobinQueue } from '../http/round-robin-queue.ts'

export interface BulkheadLimits {
  /** How many sign-ins may be at one provider at once. */
  perProvider: number
  /** How many of one client network. */
  perNetwork: number
  /** How many may begin at one provider in a second, beside a burst of as many as a network may have. */
  perSecond: number
  /** How many of one client network may wait for their turn. */
  waitingPerNetwork: number
  /** How many may wait in all. */
  waiting: number
  /** The longest wait, in ms. */
  maxWaitMs: number
}

export interface BulkheadOptions {
  limits?: BulkheadLimits
  /** A monotonic clock, in ms. */
  clock?: () => number
}

interface Place {
  readonly provider: string
  readonly network: string
}

interface Waiter extends Place {
  proceed (): void
  giveUp (reason: unknown): void
}

// A provider that answers within 0.3 s serves 100 sign-ins a second so, and 40 people behind one address within 2 s; one that
// hangs holds no more than these.
const LIMITS: BulkheadLimits = { perProvider: 64, perNetwork: 8, perSecond: 100, waitingPerNetwork: 64, waiting: 512, maxWaitMs: 5_000 }
const RETRY_AFTER = '2'

export type Bulkhead = ReturnType<typeof createBulkhead>

/**
 * Limits how many requests with this service's credentials strangers can cause at a provider, which counts and refuses them
 * by client: anybody may start flows, and come back with invented codes. Who comes when all places are taken waits a little;
 * networks take turns, and the one with the most waiting gives way when nobody else could wait.
 */
export function createBulkhead ({ limits = LIMITS, clock = () => performance.now() }: BulkheadOptions = {}) {
  const { perProvider, perNetwork, perSecond, waitingPerNetwork, waiting, maxWaitMs } = limits
  const interval = 1000 / perSecond
  const ofProvider = new Map<string, number>()
  const ofNetwork = new Map<string, number>()
  // When the next may begin at a provider, by the clock.
  const nextStart = new Map<string, number>()
  const queue = createRoundRobinQueue<Waiter>(({ network }) => network)
  let timer: NodeJS.Timeout | undefined

  const hasPlace = ({ provider, network }: Place) => countOf(ofProvider, provider) < perProvider && countOf(ofNetwork, network) < perNetwork
  const delayOf = ({ provider }: Place) => Math.max(0, (nextStart.get(provider) ?? -Infinity) - clock())
  const isReady = (place: Place) => hasPlace(place) && delayOf(place) === 0

  function take ({ provider, network }: Place): void {
    add(ofProvider, provider, 1)
    add(ofNetwork, network, 1)
    // The spacing (GCRA) lets a burst begin at once where nobody came for a while.
    nextStart.set(provider, Math.max(nextStart.get(provider) ?? -Infinity, clock() - (perNetwork - 1) * interval) + interval)
  }

  function release ({ provider, network }: Place): void {
    add(ofProvider, provider, -1)
    add(ofNetwork, network, -1)
    serve()
  }

  function serve (): void {
    for (let waiter = queue.next(isReady); waiter !== undefined; waiter = queue.next(isReady)) waiter.proceed()
    clearTimeout(timer)
    const delays = queue.all().filter(hasPlace).map(delayOf)
    if (delays.length > 0) timer = setTimeout(serve, Math.ceil(Math.min(...delays)))
  }

  function waitForTurn (place: Place, signal: AbortSignal | undefined): Promise<void> {
    makeRoom(place)
    return new Promise((resolve, reject) => {
      const leave = () => {
        queue.leave(waiter)
        clearTimeout(timeout)
        signal?.removeEventListener('abort', abandon)
      }
      const waiter: Waiter = {
        ...place,
        proceed () {
          leave()
          take(place)
          resolve()
        },
        giveUp (reason) {
          leave()
          reject(reason)
        }
      }
      const abandon = () => waiter.giveUp(signal?.reason)
      const timeout = setTimeout(() => waiter.giveUp(tooBusy()), maxWaitMs)
      signal?.addEventListener('abort', abandon)
      queue.join(waiter)
      serve()
    })
  }

  function makeRoom ({ network }: Place): void {
    const own = queue.countOf(network)
    if (own >= waitingPerNetwork) throw tooBusy()
    if (queue.size < waiting) return
    const displaced = queue.newestOfLargest()
    if (displaced === undefined || queue.countOf(displaced.network) <= own + 1) throw tooBusy()
    displaced.giveUp(tooBusy())
  }

  return {
    /**
     * Runs a task when its turn comes.
     *
     * @param signal aborts when the client disconnects
     * @throws Problem 503 `too_busy`, or the signal's reason, before the task has begun; or what the task throws
     */
    async run<T> (provider: string, network: string, task: () => Promise<T>, signal?: AbortSignal): Promise<T> {
      signal?.throwIfAborted()
      const place = { provider, network }
      // Those who wait come first.
      serve()
      if (isReady(place)) take(place)
      else await waitForTurn(place, signal)
      try {
        return await task()
      } finally {
        release(place)
      }
    }
  }
}

function tooBusy (): Problem {
  return new Problem('too_busy', { headers: { 'retry-after': RETRY_AFTER } })
}

function countOf (counts: ReadonlyMap<string, number>, key: string): number {
  return counts.get(key) ?? 0
}

function add (counts: Map<string, number>, key: string, change: 1 | -1): void {
  const count = countOf(counts, key) + change
  if (count === 0) counts.delete(key)
  else counts.set(key, count)
}
