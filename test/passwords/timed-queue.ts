import { mock } from 'node:test'
import { setImmediate as nextTick } from 'node:timers/promises'
import { createHashQueue, HashQueueFull, type HashQueue } from '../../src/passwords/hash-queue.ts'

/** One request for a hash, and what has become of it. */
export interface Ticket {
  readonly address: string
  /** The account that the client is known to. */
  readonly account: string | undefined
  /** Whether it has a place by its account, if it has to wait: one of two. */
  readonly isReserved: boolean
  /** When it came, began and was settled, in ms. */
  readonly cameAt: number
  state: 'waiting' | 'running' | 'done' | 'full' | 'aborted'
  beganAt?: number
  settledAt?: number
  error?: unknown
  finish (): void
  abort (): void
}

/** A queue whose time passes, and whose jobs end, only when the test says so. */
export interface TimedQueue {
  readonly queue: HashQueue
  /** Every ticket, in order of arrival. */
  readonly tickets: readonly Ticket[]
  /** The tickets whose job has begun, in that order. */
  readonly served: readonly Ticket[]
  readonly now: number
  /** @param known the account that the client is known to; `true` for one that only this address has */
  ask (address: string, known?: boolean | string): Promise<Ticket>
  /** Lets ms pass, and what is due in them happen. */
  pass (ms: number): Promise<void>
  /** Ends the jobs that run now. */
  finish (): Promise<void>
  /** Ends jobs, each after ms, until none runs. */
  drain (ms?: number): Promise<void>
  running (): Ticket[]
  waiting (): Ticket[]
  [Symbol.dispose] (): void
}

export function createTimedQueue (options: { concurrency: number, limit: number, maxWaitMs?: number }): TimedQueue {
  mock.timers.enable({ apis: ['setTimeout'] })
  let now = 0
  const queue = createHashQueue({ ...options, clock: () => now })
  const tickets: Ticket[] = []
  const served: Ticket[] = []
  const inState = (state: Ticket['state']) => tickets.filter(ticket => ticket.state === state)

  async function settled (): Promise<void> {
    await nextTick()
  }

  const timed: TimedQueue = {
    queue,
    tickets,
    served,
    get now () {
      return now
    },

    async ask (address, known = false) {
      const account = typeof known === 'string' ? known : known ? `the account of ${address}` : undefined
      const isReserved = account !== undefined && inState('waiting').filter(other => other.isReserved && other.account === account).length < 2
      let finish = () => {}
      const finished = new Promise<void>(resolve => { finish = resolve })
      const closed = new AbortController()
      const ticket: Ticket = {
        address, account, isReserved, cameAt: now, state: 'waiting', finish: () => finish(), abort: () => closed.abort(new Error('closed'))
      }
      tickets.push(ticket)
      const job = () => {
        ticket.state = 'running'
        ticket.beganAt = now
        served.push(ticket)
        return finished
      }
      queue.run(job, { address, account, signal: closed.signal }).then(
        () => { ticket.state = 'done' },
        error => {
          ticket.error = error
          ticket.state = error instanceof HashQueueFull ? 'full' : 'aborted'
        }
      ).finally(() => { ticket.settledAt = now })
      await settled()
      return ticket
    },

    async pass (ms) {
      now += ms
      mock.timers.tick(ms)
      await settled()
    },

    async finish () {
      for (const ticket of inState('running')) ticket.finish()
      await settled()
    },

    async drain (ms = 0) {
      while (inState('running').length > 0) {
        await timed.pass(ms)
        await timed.finish()
      }
    },

    running: () => inState('running'),
    waiting: () => inState('waiting'),

    [Symbol.dispose] () {
      mock.timers.reset()
    }
  }
  return timed
}
