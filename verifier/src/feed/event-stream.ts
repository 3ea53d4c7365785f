import { FeedParseError } from './feed-parse-error.ts'

export interface StreamEvent {
  readonly name: string
  readonly data: string
  /** The id sent with this very event. */
  readonly id: string | undefined
}

const LINE_END = /\r\n|\n|\r/g

/**
 * Parses a stream of server-sent events (HTML, §9.2.6). Unknown fields are ignored.
 *
 * @param maxLength characters that a line, and the data of an event, may have
 * @returns a function to call with each chunk; it throws FeedParseError if something is longer
 */
export function createEventStreamReader (onEvent: (event: StreamEvent) => void, maxLength = 65_536): (chunk: Uint8Array) => void {
  const decoder = new TextDecoder()
  let buffered = ''
  let endedWithReturn = false
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
    if (text.length > maxLength) throw new FeedParseError(`a line or event of more than ${maxLength} characters`)
    return text
  }

  return chunk => {
    let text = decoder.decode(chunk, { stream: true })
    if (text === '') return
    // A line may end with two characters, and they may arrive in two chunks.
    if (endedWithReturn && text.startsWith('\n')) text = text.slice(1)
    endedWithReturn = text.endsWith('\r')
    const lines = (buffered + text).split(LINE_END)
    buffered = bounded(lines.pop() ?? '')
    for (const line of lines) readLine(bounded(line))
  }
}
