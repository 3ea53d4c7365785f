import { FeedParseError } from './feed-parse-error.ts'

export interface StreamEvent {
  readonly name: string
  readonly data: string
  /** The id sent with this very event. */
  readonly id: string | undefined
}

const LINE_END = /\r\n|\n|\r/g

const MAX_BYTES = 65_536

/**
 * Parses a stream of server-sent events (HTML, §9.2.6). Unknown fields are ignored.
 *
 * @param maxBytes bytes that a line, and the data of an event, may have
 * @returns a function to call with each chunk; it throws FeedParseError if something is longer
 */
export function createEventStreamReader (onEvent: (event: StreamEvent) => void, maxBytes = MAX_BYTES): (chunk: Uint8Array) => void {
  const decoder = new TextDecoder()
  const line = createBoundedText(maxBytes)
  const data = createBoundedText(maxBytes)
  let endedWithReturn = false
  let name = ''
  let id: string | undefined

  function readLine (line: string): void {
    if (line === '') return dispatch()
    const colon = line.indexOf(':')
    const field = colon === -1 ? line : line.slice(0, colon)
    const value = colon === -1 ? '' : line.slice(line[colon + 1] === ' ' ? colon + 2 : colon + 1)
    if (field === 'event') name = value
    else if (field === 'data') data.add(data.isEmpty ? value : `\n${value}`)
    else if (field === 'id' && !value.includes('\0')) id = value
  }

  function dispatch (): void {
    if (!data.isEmpty) onEvent({ name: name === '' ? 'message' : name, data: data.take(), id })
    name = ''
    id = undefined
  }

  return chunk => {
    let text = decoder.decode(chunk, { stream: true })
    if (text === '') return
    // A line may end with two characters, and they may arrive in two chunks.
    if (endedWithReturn && text.startsWith('\n')) text = text.slice(1)
    endedWithReturn = text.endsWith('\r')
    const [continued = '', ...lines] = text.split(LINE_END)
    line.add(continued)
    for (const next of lines) {
      readLine(line.take())
      line.add(next)
    }
  }
}

/** Text that comes in parts. Each part is counted once, as it comes: to measure all of it each time takes a sender of tiny parts no effort. */
function createBoundedText (maxBytes: number) {
  let parts: string[] = []
  let bytes = 0

  return {
    /** Whether nothing was added since it was last taken; an empty part counts. */
    get isEmpty (): boolean { return parts.length === 0 },
    /** @throws FeedParseError */
    add (part: string): void {
      bytes += Buffer.byteLength(part)
      if (bytes > maxBytes) throw new FeedParseError(`a line or event of more than ${maxBytes} bytes`)
      parts.push(part)
    },
    take (): string {
      const text = parts.length === 1 ? parts[0] ?? '' : parts.join('')
      parts = []
      bytes = 0
      return text
    }
  }
}
