import { networkOf } from '../http/client-address.ts'
import { createFairAdmission, type Waiter } from './fair-admission.ts'

/** The client that a hash is computed for. It decides where the hash waits. */
export interface QueueTicket {
  /** The client's IP address; `null` where there is none. */
  address: string | null
  /** The account that the client is known to, by a valid device cookie or a live session. */
  account?: string | undefined
  /** Aborts when the client disconnects. */
  signal?: AbortSignal
}

export interface HashQueueStats {
  running: number
  waiting: number
  /** How many wait in the places that are kept for known clients. */
  waitingKnown: number
  /** Since the start: refused because the queue was full. */
  refused: number
  /** Since the start: refused because they had waited too long. */
  expired: number
  /** Since the start: left because the client had disconnected. */
  abandoned: number
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
  giveUp (reason: 'refused' | 'expired' | 'abandoned'): void
}

const MAX_WAIT_MS = 2000
const MAX_RETRY_AFTER_S = 29

/** The queue was full, or the wait too long. Answered with 503 and `Retry-After`. */
export class HashQueueFull extends Error {
  override readonly name = 'HashQueueFull'
  /** Whole seconds, 1 to 29. */
  readonly retryAfterSeconds: number

  /** @param maxWaitMs the longest wait: after it everybody who waits now has been served or refused */
  constructor (maxWaitMs: number) {
    super('Too many password hashes are waiting')
    this.retryAfterSeconds = Math.min(Math.max(Math.ceil(maxWaitMs / 1000), 1), MAX_RETRY_AFTER_S)
  }
}

export type HashQueue = ReturnType<typeof createHashQueue>

/**
 * Limits how many hashes run at once, so that everything else keeps its share of the processor, and how long a hash waits.
 * Who may wait, and who is next, `fair-admission.ts` decides.
 */
export function createHashQueue (options: HashQueueOptions) {
  const { concurrency, limit, maxWaitMs = MAX_WAIT_MS, clock = () => performance.now() } = options
  const admission = createFairAdmission<Waiting>(limit)
  // In order of arrival.
  const waiters = new Set<Waiting>()
  const counts = { refused: 0, expired: 0, abandoned: 0 }
  let running = 0
  let timer: NodeJS.Timeout | undefined

  function waitForTurn ({ address, account, signal }: QueueTicket): Promise<void> {
    return new Promise((resolve, reject) => {
      const waiting: Waiting = {
        network: networkOf(address),
        account,
        deadline: clock() + maxWaitMs,
        proceed () {
          forget()
          resolve()
        },
        giveUp (reason) {
          forget()
          counts[reason]++
          reject(reason === 'abandoned' ? signal?.reason : new HashQueueFull(maxWaitMs))
        }
      }
      const abandon = () => {
        admission.leave(waiting)
        waiting.giveUp('abandoned')
      }
      const forget = () => {
        waiters.delete(waiting)
        signal?.removeEventListener('abort', abandon)
        watchOldest()
      }

      refuseExpired()
      const { admitted, displaced } = admission.admit(waiting)
      displaced?.giveUp('refused')
      if (!admitted) return waiting.giveUp('refused')
      waiters.add(waiting)
      signal?.addEventListener('abort', abandon)
      watchOldest()
    })
  }

  // All waits are equally long, so the oldest is due first and one timer is enough.
  function watchOldest (): void {
    const [oldest] = waiters
    if (oldest) timer ??= setTimeout(onDeadline, oldest.deadline - clock())
    else {
      clearTimeout(timer)
      timer = undefined
    }
  }

  function onDeadline (): void {
    timer = undefined
    refuseExpired()
    watchOldest()
  }

  function refuseExpired (): void {
    const now = clock()
    for (const waiting of waiters) {
      if (waiting.deadline > now) return
      admission.leave(waiting)
      waiting.giveUp('expired')
    }
  }

  // The slot goes straight to the next waiter: no newcomer may take it between two hashes.
  function release (): void {
    refuseExpired()
    const next = admission.next()
    if (next) next.proceed()
    else running--
  }

  return {
    /**
     * Runs a job when its turn comes. A job that has begun is never stopped, as argon2 cannot be.
     *
     * @throws {HashQueueFull} at once if the queue is full; when a known client displaces this one; after `maxWaitMs`
     * @throws the signal's reason if it aborts before the job's turn; or whatever the job throws
     */
    async run <T>(job: () => Promise<T>, ticket: QueueTicket): Promise<T> {
      ticket.signal?.throwIfAborted()
      if (running < concurrency) running++
      else await waitForTurn(ticket)
      try {
        return await job()
      } finally {
        release()
      }
    },

    stats: (): HashQueueStats => ({ running, waiting: admission.size, waitingKnown: admission.knownSize, ...counts })
  }
}
