import type { ServerResponse } from 'node:http'
import { setImmediate } from 'node:timers/promises'
import { Problem } from '../../errors.ts'

/** Why a connection ended; only `gone` is the follower's own doing. */
export type DisconnectReason = 'gone' | 'too slow' | 'credential expired' | 'credential withdrawn' | 'ledger unavailable' | 'stopping'

/** One connection that follows the feed. */
export interface SseSubscriber {
  readonly clientId: string
  readonly isConnected: boolean
  /** Sends what happens; what happens before the first part was sent waits for it. Who does not keep up with it is cut. */
  send (events: Buffer): void
  /** Sends a part of what is long, and resolves when there is room for the next; rejects when the follower has left. */
  sendPart (events: Buffer): Promise<void>
  disconnect (why: DisconnectReason): void
}

/** How much a follower may leave unread before it is cut. */
export interface BackpressureLimits {
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
  onDisconnect (why: DisconnectReason): void
}

const BACKPRESSURE_LIMITS: BackpressureLimits = { bytes: 4 * 1024 * 1024, ms: 30_000 }

// Milliseconds that a follower has for reading the last of what was sent.
const CLOSE_TIMEOUT = 1_000

export function createSseSubscriber ({ clientId, response, begin, onDisconnect }: Connection, { bytes, ms }: BackpressureLimits = BACKPRESSURE_LIMITS): SseSubscriber {
  let early: Buffer[] | undefined = []
  let isHere = true
  let why: DisconnectReason = 'gone'
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
    onDisconnect(why)
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
    get isConnected () { return isHere },

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

    disconnect (reason) {
      if (!isHere) return
      isHere = false
      why = reason
      resume()
      if (early !== undefined) return
      clearTimeout(impatience)
      impatience = setTimeout(() => response.destroy(), CLOSE_TIMEOUT)
      response.end()
    }
  }
}
