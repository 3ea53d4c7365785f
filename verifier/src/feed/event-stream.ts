import { FeedParseError } from './feed-parse-error.ts'

/** One event of a stream. */
export interface StreamEvent {
  readonly name: string
  readonly data: string
  /** The id that came with this very event. */
  readonly id: string | undefined
}

const LINE_END = /\r\n|\n|\r/g

/**
 * Reads a stream of server-sent events (HTML, §9.2.6). What is no field of an event is passed over.
 *
 * @param maxLength characters that a line, and the data of an event, may have
 * @returns what takes the bytes as they come; it throws UnreadableFeed where something is longer
 */
export function createEventStreamReader (onEvent: (event: StreamEvent) => void, maxLength = 65_536): (chunk: Uint8Array) => void {
  const decoder = new TextDecoder()
  let rest = ''
  let endedInReturn = false
  let name = ''
  let data: string | undefined
  let id: string | undefined

  function readLine (line: string): void {
    if (line === '') return dispatch()
    const colon = line.indexOf(':')
    const field = colon === -1 ? line : line.slice(0, colon)
    const value = colon === -1 ? '' : line.slice(line[colon + 1] === ' ' ? colon + 2 : colon + 1)
    if (field === 'event') name = value
    else if (field === 'data') data = bounded(data === undefined ? value : `${data}\n${value}`)
    else if (field === 'id' && !value.includes('\0')) id = value
  }

  function dispatch (): void {
    if (data !== undefined) onEvent({ name: name === '' ? 'message' : name, data, id })
    name = ''
    data = id = undefined
  }

  function bounded (text: string): string {
    if (text.length > maxLength) throw new FeedParseError(`more than ${maxLength} characters in one piece`)
    return text
  }

  return chunk => {
    let text = decoder.decode(chunk, { stream: true })
    if (text === '') return
    // A line may end in two characters, and these may come apart.
    if (endedInReturn && text.startsWith('\n')) text = text.slice(1)
    endedInReturn = text.endsWith('\r')
    const lines = (rest + text).split(LINE_END)
    rest = bounded(lines.pop() ?? '')
    for (const line of lines) readLine(bounded(line))
  }
}
