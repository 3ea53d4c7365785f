import { once } from 'node:events'
import { request, type IncomingHttpHeaders, type IncomingMessage } from 'node:http'
import type { Test } from 'tap'
import type { Revocation } from 'countersign-verifier/internal'

/** One event of the feed, as it came. */
export type FeedEvent =
  | { event: 'revocation', data: Revocation }
  | { event: 'sync', id: string, data: { ageMs: number } }

/** A connection to the feed. */
export interface FeedReader {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  /** Everything that has come, oldest first. */
  readonly events: readonly FeedEvent[]
  /** All the text that came, for a refusal. */
  text (): string
  /** Resolves with the next event, of those not given yet, that is wanted. */
  next<Wanted extends FeedEvent> (isWanted: (event: FeedEvent) => event is Wanted): Promise<Wanted>
  /** Resolves when the stream is over, however it ended. */
  readonly ended: Promise<void>
  /** Stops reading, as a process does that hangs. */
  pause (): void
  resume (): void
  close (): void
}

export const isSync = (event: FeedEvent) => event.event === 'sync'

/** Whether an event tells of a session's end. */
export function endsSession (id: string) {
  return (event: FeedEvent): event is Extract<FeedEvent, { event: 'revocation' }> => event.event === 'revocation' && event.data.id === id
}

/** Opens the feed of a service that listens; it is closed when the test ends. */
export async function readFeed (t: Test, origin: string, headers: Readonly<Record<string, string>>): Promise<FeedReader> {
  const sent = request(`${origin}/revocations`, { headers, agent: false }).end()
  t.teardown(() => { sent.destroy() })
  const [response] = await once(sent, 'response') as [IncomingMessage]
  const events: FeedEvent[] = []
  let given = 0
  let text = ''
  let rest = ''
  let wake = () => {}

  response.setEncoding('utf8')
  response.on('data', (part: string) => {
    text += part
    const blocks = (rest + part).split('\n\n')
    rest = blocks.pop() ?? ''
    if (response.statusCode === 200) events.push(...blocks.map(readEvent))
    wake()
  })
  const ended = new Promise<void>(resolve => {
    response.once('close', () => {
      resolve()
      wake()
    })
  })
  response.on('error', () => {})

  return {
    status: response.statusCode ?? 0,
    headers: response.headers,
    events,
    text: () => text,
    ended,
    pause: () => { response.pause() },
    resume: () => { response.resume() },
    close: () => { response.destroy() },

    async next (isWanted) {
      while (true) {
        for (; given < events.length; given++) {
          const event = events[given]
          if (event !== undefined && isWanted(event)) {
            given++
            return event
          }
        }
        if (response.closed) throw new Error('The feed ended before it came')
        await new Promise<void>(resolve => { wake = resolve })
      }
    }
  }
}

function readEvent (block: string): FeedEvent {
  const fields = Object.fromEntries(block.split('\n').map(line => [line.slice(0, line.indexOf(': ')), line.slice(line.indexOf(': ') + 2)]))
  return { ...fields, data: JSON.parse(String(fields.data)) } as unknown as FeedEvent
}
