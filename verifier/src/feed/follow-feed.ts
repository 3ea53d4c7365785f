import type { IncomingMessage } from 'node:http'
import { finished } from 'node:stream/promises'
import { setTimeout as pause } from 'node:timers/promises'
import { createBackoff } from '../net/backoff.ts'
import { createDeadline } from '../net/deadline.ts'
import { httpRequest } from '../net/http-request.ts'
import type { Revocation } from '../types.ts'
import { createEventStreamReader, type StreamEvent } from './event-stream.ts'
import { FeedRefused } from './feed-refused.ts'
import { parseRevocation, parseSync, type Sync } from './parse-event.ts'
import { FeedParseError } from './feed-parse-error.ts'

/** Milliseconds. */
export interface FeedTiming {
  /** How long a connection may stay silent: the service sends a `sync` at least every 5 s. */
  readonly silence: number
  /** The first wait before a reconnect, and the longest. */
  readonly firstWait: number
  readonly longestWait: number
  /** The wait after the service refused the credentials: an operator has to change something first. */
  readonly refusedWait: number
}

const TIMING: FeedTiming = { silence: 15_000, firstWait: 100, longestWait: 5_000, refusedWait: 30_000 }

export interface FeedDeps {
  readonly url: URL
  /** @returns the value of the Authorization header */
  readonly authorize: () => Promise<string>
  /** Whether that is a new token each time. It may expire on the way: after one refusal the next may be accepted. */
  readonly renewsToken?: boolean
  readonly onRevocation: (revocation: Revocation) => void
  readonly onSync: (sync: Sync) => void
  /** Called when a connection fails or ends. The next attempt is automatic. */
  readonly onLost: (cause: Error) => void
  readonly timing?: Partial<FeedTiming>
}

/**
 * Follows the feed of revocations until it is closed. After a lost connection it reconnects with its last cursor, and the
 * service sends what was missed.
 */
export function followFeed ({ url, authorize, renewsToken = false, onRevocation, onSync, onLost, timing: changes }: FeedDeps): { close (): void } {
  const timing = { ...TIMING, ...changes }
  const closing = new AbortController()
  const backoff = createBackoff({ first: timing.firstWait, longest: timing.longestWait })
  let cursor: string | undefined
  let wasRefused = false

  function handleEvent ({ name, data, id }: StreamEvent): void {
    if (name === 'revocation') {
      const revocation = parseRevocation(data)
      if (revocation !== undefined) onRevocation(revocation)
    } else if (name === 'sync') {
      onSync(parseSync(data))
      cursor = id !== undefined && CURSOR.test(id) ? id : undefined
      backoff.reset()
      wasRefused = false
    }
  }

  /** Connects once and reads until the connection ends. @throws Error that says why it ended */
  async function readFeed (): Promise<never> {
    const silence = createDeadline(timing.silence, `The feed was silent for ${timing.silence / 1000} s`, closing.signal)
    try {
      const headers = { accept: 'text/event-stream', authorization: await authorize(), ...cursor !== undefined && { 'last-event-id': cursor } }
      const response = await httpRequest(url, { headers, signal: silence.signal })
      if (!isEventStream(response)) {
        response.destroy()
        throw new FeedRefused(response)
      }
      await readEvents(response, event => {
        silence.extend()
        handleEvent(event)
      })
      throw new Error('The service ended the feed')
    } catch (error) {
      throw silence.signal.aborted ? silence.signal.reason : error
    } finally {
      silence.clear()
    }
  }

  /** Whether a renewed token was refused for the first time: the next may be accepted. */
  function isFirstRefusal (cause: Error): boolean {
    if (!renewsToken || wasRefused || !(cause instanceof FeedRefused) || !cause.isUnauthorized) return false
    wasRefused = true
    return true
  }

  async function follow (): Promise<void> {
    while (!closing.signal.aborted) {
      const cause = await readFeed().catch((error: Error) => error)
      if (closing.signal.aborted) return
      if (isFirstRefusal(cause)) {
        onLost(new Error('The service refused the access token', { cause }))
        continue
      }
      // The cursor may be past what could not be read: start from the beginning.
      if (cause instanceof FeedParseError) cursor = undefined
      onLost(cause)
      const minWait = cause instanceof FeedRefused ? cause.wait(timing.refusedWait) : 0
      await pause(minWait + backoff.next(), undefined, { signal: closing.signal }).catch(() => {})
    }
  }

  void follow()
  return { close: () => closing.abort() }
}

// What a header field can carry.
const CURSOR = /^[\x21-\x7e]{1,2048}$/

function isEventStream ({ statusCode, headers }: IncomingMessage): boolean {
  return statusCode === 200 && /^text\/event-stream\s*(;|$)/i.test(headers['content-type'] ?? '')
}

async function readEvents (response: IncomingMessage, onEvent: (event: StreamEvent) => void): Promise<void> {
  const read = createEventStreamReader(onEvent)
  response.on('data', (chunk: Buffer) => {
    try {
      read(chunk)
    } catch (error) {
      response.destroy(error as Error)
    }
  })
  await finished(response)
}
