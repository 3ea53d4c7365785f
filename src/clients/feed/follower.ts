import type { ServerResponse } from 'node:http'
import { setImmediate } from 'node:timers/promises'
import { Problem } from '../../errors.ts'

/** Why a connection ended; only `gone` is the follower's own doing. */
export type Leaving = 'gone' | 'too slow' | 'credential expired' | 'credential withdrawn' | 'ledger unavailable' | 'stopping'

/** One connection that follows the feed. */
export interface Follower {
  readonly clientId: string
  readonly isHere: boolean
  /** Sends what happens; what happens before the first part was sent waits for it. Who does not keep up with it is cut. */
  send (events: Buffer): void
  /** Sends a part of what is long, and resolves when there is room for the next; rejects when the follower has left. */
  sendPart (events: Buffer): Promise<void>
  leave (why: Leaving): void
}

/** How much a follower may leave unread before it is cut. */
export interface Patience {
  bytes: number
  /** Milliseconds without reading any of it. */
  ms: number
}

/** A connection, and what is to be done about it. */
export interface Connection {
  clientId: string
  response: ServerResponse
  /** Begins the answer. */
  begin (): void
  /** Told once, when it is over. */
  onLeft (why: Leaving): void
}

const PATIENCE: Patience = { bytes: 4 * 1024 * 1024, ms: 30_000 }

// Milliseconds that a follower has for reading the last of what was sent.
const FAREWELL = 1_000

export function createFollower ({ clientId, response, begin, onLeft }: Connection, { bytes, ms }: Patience = PATIENCE): Follower {
  let early: Buffer[] | undefined = []
  let isHere = true
  let why: Leaving = 'gone'
  let impatience: NodeJS.Timeout | undefined
  let resume = () => {}

  response.on('drain', () => {
    clearTimeout(impatience)
    impatience = undefined
    resume()
  })
  response.once('close', () => {
    isHere = false
    clearTimeout(impatience)
    resume()
    onLeft(why)
  })

  function write (events: Buffer): void {
    if (isHere && !response.write(events)) impatience ??= setTimeout(cut, ms)
  }

  function cut (): void {
    isHere = false
    why = 'too slow'
    response.destroy()
  }

  function beginOnce (): void {
    if (early === undefined) return
    begin()
    for (const events of early) write(events)
    early = undefined
  }

  return {
    clientId,
    get isHere () { return isHere },

    send (events) {
      if (early !== undefined) {
        early.push(events)
        return
      }
      write(events)
      if (response.writableLength > bytes) cut()
    },

    async sendPart (events) {
      if (isHere) beginOnce()
      write(events)
      if (isHere && response.writableNeedDrain) await new Promise<void>(resolve => { resume = resolve })
      else await setImmediate()
      if (!isHere) throw new Problem(why === 'gone' ? 'client_gone' : 'unavailable')
    },

    leave (reason) {
      if (!isHere) return
      isHere = false
      why = reason
      resume()
      if (early !== undefined) return
      clearTimeout(impatience)
      impatience = setTimeout(() => response.destroy(), FAREWELL)
      response.end()
    }
  }
}
