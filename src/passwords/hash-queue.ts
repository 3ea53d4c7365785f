import { ipPrefix } from './ip-prefix.ts'
import { HashQueueFull } from './hash-queue-full.ts'
import { createFairAdmission } from './fair-admission.ts'
import type { Waiter } from './fair-admission.ts'

/** Whose hash it is, and so where it waits. */
export interface QueueTicket {
  /** The client's IP address. */
  address: string
  /** Whether the client showed a valid device cookie or a live session. */
  known: boolean
  /** Aborted when the client has closed its socket. */
  signal?: AbortSignal
}

export interface HashQueueStats {
  running: number
  waiting: number
  /** How many of the waiting are known clients'. */
  waitingKnown: number
  /** Since the start: turned away because there was no place. */
  refused: number
  /** Since the start: turned away because their time was out. */
  expired: number
  /** Since the start: left because their client had gone. */
  abandoned: number
}

/**
 * Lets so few hashes run at once that everything else keeps its share of the processor (PROTOCOL §11). Who waits, and
 * who is next, is for `waiting-places.ts` to say; how long, is said here.
 */
export interface HashQueue {
  /**
   * Runs the job when its turn comes. A job once begun is never stopped, as argon2 cannot be.
   *
   * @throws {HashQueueFull} at once if there is no place; when its place goes to a known client; after `maxWaitMs`
   * @throws the signal's reason if it is aborted before the job's turn; or whatever the job throws
   */
  run<T> (job: () => Promise<T>, place: QueueTicket): Promise<T>
  stats (): HashQueueStats
}

export interface HashQueueOptions {
  /** How many jobs run at once: at least 1. */
  concurrency: number
  /** How many jobs may wait. More than are done in `maxWaitMs` is of no use. */
  limit: number
  /** The longest wait, in ms. */
  maxWaitMs?: number
  /** A monotonic clock, in ms. */
  clock?: () => number
}

interface Waiting extends Waiter {
  /** By the queue's clock, in ms. */
  readonly deadline: number
  proceed (): void
  giveUp (why: 'refused' | 'expired' | 'abandoned'): void
}

const LONGEST_WAIT_MS = 2000

export function createHashQueue (options: HashQueueOptions): HashQueue {
  const { concurrency, limit, maxWaitMs = LONGEST_WAIT_MS, clock = () => performance.now() } = options
  const places = createFairAdmission<Waiting>(limit)
  const arrivals = new Set<Waiting>()
  const turnedAway = { refused: 0, expired: 0, abandoned: 0 }
  let running = 0
  let wake: NodeJS.Timeout | undefined

  function turn ({ address, known, signal }: QueueTicket): Promise<void> {
    return new Promise((resolve, reject) => {
      const waiting: Waiting = {
        network: ipPrefix(address),
        known,
        deadline: clock() + maxWaitMs,
        proceed () {
          forget()
          resolve()
        },
        giveUp (why) {
          forget()
          turnedAway[why]++
          reject(why === 'abandoned' ? signal?.reason : new HashQueueFull(maxWaitMs))
        }
      }
      const abandon = () => {
        places.leave(waiting)
        waiting.giveUp('abandoned')
      }
      const forget = () => {
        arrivals.delete(waiting)
        signal?.removeEventListener('abort', abandon)
        watchOldest()
      }

      turnAwayExpired()
      const { taken, displaced } = places.admit(waiting)
      displaced?.giveUp('refused')
      if (!taken) return waiting.giveUp('refused')
      arrivals.add(waiting)
      signal?.addEventListener('abort', abandon)
      watchOldest()
    })
  }

  // All may wait equally long, so the oldest is due first and one timer does for all.
  function watchOldest (): void {
    const [oldest] = arrivals
    if (oldest) wake ??= setTimeout(wakeUp, oldest.deadline - clock())
    else {
      clearTimeout(wake)
      wake = undefined
    }
  }

  function wakeUp (): void {
    wake = undefined
    turnAwayExpired()
    watchOldest()
  }

  function turnAwayExpired (): void {
    const now = clock()
    for (const waiting of arrivals) {
      if (waiting.deadline > now) return
      places.leave(waiting)
      waiting.giveUp('expired')
    }
  }

  // The slot passes straight to the next in line: between two hashes nobody else may take it.
  function passOn (): void {
    turnAwayExpired()
    const next = places.next()
    if (next) next.proceed()
    else running--
  }

  return {
    async run (job, place) {
      place.signal?.throwIfAborted()
      if (running < concurrency) running++
      else await turn(place)
      try {
        return await job()
      } finally {
        passOn()
      }
    },

    stats: () => ({ running, waiting: places.size, waitingKnown: places.knownSize, ...turnedAway })
  }
}
