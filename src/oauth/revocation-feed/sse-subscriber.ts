import type { ServerResponse } from 'node:http'
import { setImmediate } from 'node:timers/promises'
import { Problem } from '../../errors.ts'

/** Why a connection ended; only for `gone` was it the subscriber that closed it. */
export type DisconnectReason = 'gone' | 'too slow' | 'credential expired' | 'credential withdrawn' | 'ledger unavailable' | 'stopping'

/** One connection that follows the feed. */
export type SseSubscriber = ReturnType<typeof createSseSubscriber>

/** How much a subscriber may leave unread before it is disconnected. */
export interface BackpressureLimits {
  bytes: number
  /** Milliseconds without reading any of it. */
  ms: number
}

export interface Connection {
  clientId: string
  response: ServerResponse
  /** Writes the response's headers. */
  begin (): void
  /** Called once, when the connection has ended. */
  onDisconnect (reason: DisconnectReason): void
}

const BACKPRESSURE_LIMITS: BackpressureLimits = { bytes: 4 * 1024 * 1024, ms: 30_000 }

// Milliseconds in which a disconnected subscriber can read the last events.
const CLOSE_TIMEOUT = 1_000

export function createSseSubscriber ({ clientId, response, begin, onDisconnect }: Connection, { bytes, ms }: BackpressureLimits = BACKPRESSURE_LIMITS) {
  let beforeFirstBatch: Buffer[] | undefined = []
  let isConnected = true
  let reason: DisconnectReason = 'gone'
  let drainTimer: NodeJS.Timeout | undefined
  let resume = () => {}

  response.on('drain', () => {
    clearTimeout(drainTimer)
    drainTimer = undefined
    resume()
  })
  response.once('close', () => {
    isConnected = false
    clearTimeout(drainTimer)
    resume()
    onDisconnect(reason)
  })

  function write (events: Buffer): void {
    if (isConnected && !response.write(events)) drainTimer ??= setTimeout(cut, ms)
  }

  function cut (): void {
    isConnected = false
    reason = 'too slow'
    response.destroy()
  }

  function beginOnce (): void {
    if (beforeFirstBatch === undefined) return
    begin()
    for (const events of beforeFirstBatch) write(events)
    beforeFirstBatch = undefined
  }

  return {
    clientId,

    /** Sends events as they happen; until the first batch was sent, they are queued. Disconnects a subscriber that is too slow. */
    send (events: Buffer): void {
      if (beforeFirstBatch !== undefined) {
        beforeFirstBatch.push(events)
        return
      }
      write(events)
      if (response.writableLength > bytes) cut()
    },

    /** Sends a batch, and resolves when there is room for the next; rejects when the subscriber has disconnected. */
    async sendBatch (events: Buffer): Promise<void> {
      if (isConnected) beginOnce()
      write(events)
      if (isConnected && response.writableNeedDrain) await new Promise<void>(resolve => { resume = resolve })
      else await setImmediate()
      if (!isConnected) throw new Problem(reason === 'gone' ? 'client_gone' : 'unavailable')
    },

    disconnect (because: DisconnectReason): void {
      if (!isConnected) return
      isConnected = false
      reason = because
      resume()
      if (beforeFirstBatch !== undefined) return
      clearTimeout(drainTimer)
      drainTimer = setTimeout(() => response.destroy(), CLOSE_TIMEOUT)
      response.end()
    }
  }
}
