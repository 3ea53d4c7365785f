import type { ServerResponse } from 'node:http'
import { setImmediate } from 'node:timers/promises'
import { Problem } from '../../errors.ts'
import type { ClientCredential } from '../client-authentication.ts'
import type { EventLog } from './event-log.ts'

/** Why a connection ended; only for `gone` was it the subscriber that closed it. */
export type DisconnectReason = 'gone' | 'too slow' | 'credential expired' | 'credential withdrawn' | 'ledger unavailable' | 'stopping'

/** One connection that follows the feed. */
export type SseSubscriber = ReturnType<typeof createSseSubscriber>

export interface Connection {
  clientId: string
  /** What it authenticated with. */
  credential: ClientCredential
  response: ServerResponse
  /** Writes the response's headers. */
  begin (): void
  /** Called once, when the connection has ended. */
  onDisconnect (reason: DisconnectReason): void
}

export interface SubscriberDeps {
  log: EventLog
  /** Milliseconds without reading anything, after which a subscriber is disconnected. */
  patience: number
  /** A sync as of now. */
  sync: () => Buffer
}

// Milliseconds in which a disconnected subscriber can read the last events.
const CLOSE_TIMEOUT = 1_000

/**
 * What it is to be sent next, a subscriber takes from the log when it has read what it was sent before. So one that does not
 * read holds no events of its own; when the log has dropped what it needs, it is disconnected.
 */
export function createSseSubscriber ({ clientId, credential, response, begin, onDisconnect }: Connection, { log, patience, sync }: SubscriberDeps) {
  let position = log.end
  let hasBegun = false
  let isConnected = true
  let isOver = false
  let isSyncDue = false
  let reason: DisconnectReason = 'gone'
  // Runs while there is something that the subscriber has not read.
  let drainTimer: NodeJS.Timeout | undefined
  let resume = () => {}
  let end = () => {}
  const ended = new Promise<void>(resolve => { end = resolve })

  response.on('drain', () => {
    clearTimeout(drainTimer)
    drainTimer = undefined
    deliver()
    resume()
  })
  // A response that waits behind another one on its connection, for a client may send requests ahead, has no end of its own.
  const { socket } = response.req
  socket.setMaxListeners(0).once('close', onClose)
  response.once('close', onClose)

  function onClose (): void {
    // The end of the connection is told to both at once.
    if (isOver) return
    isOver = true
    socket.off('close', onClose)
    isConnected = false
    clearTimeout(drainTimer)
    resume()
    end()
    onDisconnect(reason)
  }

  function write (events: Buffer): void {
    if (!response.write(events)) drainTimer ??= setTimeout(cut, patience)
  }

  function cut (): void {
    isConnected = false
    reason = 'too slow'
    response.destroy()
  }

  function assertConnected (): void {
    if (!isConnected) throw new Problem(reason === 'gone' ? 'client_gone' : 'unavailable')
  }

  const isReading = () => isConnected && drainTimer === undefined

  function deliver (): void {
    if (!hasBegun || !isConnected) return
    if (!log.covers(position)) return cut()
    for (let events = log.read(position); events !== undefined && isReading(); events = log.read(++position)) write(events)
    if (!isSyncDue || !isReading()) return
    isSyncDue = false
    write(sync())
  }

  return {
    clientId,
    credential,
    /** Resolves when the connection is over. */
    ended,
    /** @throws Problem where it is */
    assertConnected,

    /** Starts the response, which from then on is sent what the log has. @param from a position that the log covers @throws Problem where it has disconnected */
    open (from: number): void {
      assertConnected()
      position = from
      hasBegun = true
      begin()
    },

    /** Sends what is new in the log, when there is room for it. Disconnects a subscriber that is too slow. */
    deliver,

    /** Sends a sync after what is in the log: this one, or one as of when there is room for it. */
    attest (rendered: Buffer): void {
      deliver()
      if (isReading() && log.read(position) === undefined) write(rendered)
      else isSyncDue = true
    },

    /** Sends events that are not in the log, and resolves when there is room for more; rejects when the subscriber has disconnected. */
    async sendBatch (events: Buffer): Promise<void> {
      if (isConnected) write(events)
      deliver()
      if (isConnected && !isReading()) await new Promise<void>(resolve => { resume = resolve })
      // Also then: the system may take everything at once, and nothing else would be done until it is sent.
      await setImmediate()
      assertConnected()
    },

    disconnect (because: DisconnectReason): void {
      if (!isConnected) return
      isConnected = false
      reason = because
      resume()
      end()
      if (!hasBegun) return
      clearTimeout(drainTimer)
      drainTimer = setTimeout(() => response.destroy(), CLOSE_TIMEOUT)
      response.end()
    }
  }
}
