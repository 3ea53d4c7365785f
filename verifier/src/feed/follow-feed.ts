import type { IncomingMessage } from 'node:http'
import { finished } from 'node:stream/promises'
import { setTimeout as pause } from 'node:timers/promises'
import { createBackoff } from '../net/backoff.ts'
import { createDeadline } from '../net/deadline.ts'
import { httpRequest } from '../net/http-request.ts'
import type { Revocation } from '../revocation-set.ts'
import { createEventStreamReader, type StreamEvent } from './event-stream.ts'
import { FeedRefused } from './feed-refused.ts'
import { parseRevocation, parseSync } from './parse-event.ts'
import { FeedParseError } from './feed-parse-error.ts'

/** Milliseconds. */
export interface FeedTiming {
  /** How long a connection may go without an event: the service sends a `sync` every 5 s at least. */
  readonly silence: number
  /** The first wait before connecting again, and the longest. */
  readonly firstWait: number
  readonly longestWait: number
  /** The wait after the service refused the credentials: only somebody's doing changes that. */
  readonly refusedWait: number
}

const TIMING: FeedTiming = { silence: 15_000, firstWait: 100, longestWait: 5_000, refusedWait: 30_000 }

/** Whom to follow, and who is told. */
export interface FeedDeps {
  readonly url: URL
  /** @returns the value of the Authorization header */
  readonly authorize: () => Promise<string>
  /** Whether that is another each time, which may run out on its way: refused once, the next may be good. */
  readonly renews?: boolean
  readonly onRevocation: (revocation: Revocation) => void
  /** @param ageMs how long ago, in milliseconds, the read of the ledger began that the service attests to */
  readonly onSync: (ageMs: number) => void
  /** Told when there is no connection, or no longer; another attempt follows by itself. */
  readonly onLost: (cause: Error) => void
  readonly timing?: Partial<FeedTiming>
}

/** Follows the service's feed until it is closed. */
export interface FeedFollower {
  close (): void
}

/**
 * Follows the feed of revocations: connects, and after every cut connects again with the cursor it had last, so that the
 * service sends what was missed.
 */
export function followFeed ({ url, authorize, renews = false, onRevocation, onSync, onLost, ...parts }: FeedDeps): FeedFollower {
  const timing = { ...TIMING, ...parts.timing }
  const closing = new AbortController()
  const backoff = createBackoff({ first: timing.firstWait, longest: timing.longestWait })
  let cursor: string | undefined
  let wasRefused = false

  function take ({ name, data, id }: StreamEvent): void {
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

  /** Connects once, and reads until the connection ends: by an error, whatever ended it. */
  async function listen (): Promise<never> {
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
        take(event)
      })
      throw new Error('The service ended the feed')
    } catch (error) {
      throw silence.signal.aborted ? silence.signal.reason : error
    } finally {
      silence.clear()
    }
  }

  /** What a connection ended by, where one refusal of a token that renews itself is a loss like any other. */
  function judge (cause: Error): Error {
    if (!renews || wasRefused || !(cause instanceof FeedRefused) || cause.status !== 401) return cause
    wasRefused = true
    return new Error('The service refused the token that it was shown', { cause })
  }

  async function follow (): Promise<void> {
    while (!closing.signal.aborted) {
      const cause = judge(await listen().catch((error: Error) => error))
      if (closing.signal.aborted) return
      // What could not be read may be what the cursor leaves out: everything is asked for again.
      if (cause instanceof FeedParseError) cursor = undefined
      onLost(cause)
      const least = cause instanceof FeedRefused ? cause.wait(timing.refusedWait) : 0
      await pause(least + backoff.next(), undefined, { signal: closing.signal }).catch(() => {})
    }
  }

  void follow()
  return { close: () => closing.abort() }
}

// What an HTTP field can carry.
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
