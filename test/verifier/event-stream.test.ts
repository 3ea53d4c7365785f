import fc from 'fast-check'
import t from 'tap'
import { createEventStreamReader, type StreamEvent } from '../../verifier/src/feed/event-stream.ts'
import { FeedParseError } from '../../verifier/src/feed/feed-parse-error.ts'

/** Reads a stream that comes in the given pieces. */
function read (...chunks: Array<string | Buffer>): StreamEvent[] {
  const events: StreamEvent[] = []
  const take = createEventStreamReader(event => events.push(event), 1000)
  for (const chunk of chunks) take(Buffer.from(chunk))
  return events
}

const event = (name: string, data: string, id?: string): StreamEvent => ({ name, data, id })

t.test('reads events with their names, data and ids', async t => {
  t.strictSame(read('event: sync\nid: 7\ndata: {"ageMs":1}\n\nevent: revocation\ndata: {}\n\n'), [event('sync', '{"ageMs":1}', '7'), event('revocation', '{}')])
})

t.test('an id is that of its own event, and of none that follow', async t => {
  t.strictSame(read('id: 1\ndata: a\n\ndata: b\n\n'), [event('message', 'a', '1'), event('message', 'b')])
  t.strictSame(read('id: 1\n\ndata: b\n\n'), [event('message', 'b')], 'nor of one without data')
})

t.test('follows the standard in what it takes for a field', async t => {
  const table: Array<[string, StreamEvent[]]> = [
    ['data:no space\n\n', [event('message', 'no space')]],
    ['data:  two spaces\n\n', [event('message', ' two spaces')]],
    ['data: one\ndata: two\n\n', [event('message', 'one\ntwo')]],
    ['data\n\n', [event('message', '')]],
    ['data: a: b\n\n', [event('message', 'a: b')]],
    ['event: x\n\ndata: y\n\n', [event('message', 'y')]],
    ['id: a\0b\ndata: y\n\n', [event('message', 'y')]],
    ['data: never ended\n', []],
    ['\n\n\n', []]
  ]
  for (const [stream, expected] of table) t.strictSame(read(stream), expected, JSON.stringify(stream))
})

t.test('passes over comments and whatever is no field', async t => {
  t.strictSame(read(': hello\n:\nretry: 1\nEvent: x\nrubbish\n data: x\n\u2028\n{"a":1}\ndata: y\n\n'), [event('message', 'y')])
})

t.test('takes every end of a line, and a byte order mark', async t => {
  for (const end of ['\n', '\r', '\r\n']) t.strictSame(read(['event: a', 'data: 1', '', 'data: 2', '', ''].join(end)), [event('a', '1'), event('message', '2')], JSON.stringify(end))
  t.strictSame(read('\ufeffdata: x\n\n'), [event('message', 'x')])
})

t.test('in whatever pieces a stream comes, it says the same', async t => {
  const stream = Buffer.from('event: sync\r\nid: é🐎\r\ndata: {"ageMs":1}\r\n\r\n: comment\rdata: ü\rdata: x\r\revent: revocation\ndata: 🐄\n\n')
  const whole = read(stream)
  t.equal(whole.length, 3)
  fc.assert(fc.property(fc.uniqueArray(fc.integer({ min: 1, max: stream.length - 1 })), cuts => {
    const edges = [0, ...cuts.sort((a, b) => a - b), stream.length]
    const pieces = edges.slice(1).map((end, index) => stream.subarray(edges[index], end))
    t.strictSame(read(...pieces), whole)
  }), { numRuns: 300 })
})

t.test('whatever comes, it gives events or says that it cannot be read', async t => {
  fc.assert(fc.property(fc.array(fc.uint8Array({ maxLength: 300 })), chunks => {
    try {
      return read(...chunks.map(chunk => Buffer.from(chunk))).every(({ data }) => data.length <= 1000)
    } catch (error) {
      return error instanceof FeedParseError
    }
  }), { numRuns: 1000 })
  t.strictSame(read(Buffer.from([0xff, 0xfe, 0x0a, 0x0a])), [])
})

t.test('a line or an event without end is not kept in memory', async t => {
  t.throws(() => read('x'.repeat(1001)), FeedParseError)
  t.throws(() => read('x'.repeat(600), 'x'.repeat(600)), FeedParseError)
  t.throws(() => read(`data: ${'x'.repeat(999)}\n`), FeedParseError)
  t.throws(() => read(...Array<string>(200).fill('data: 123456789\n')), FeedParseError)
  t.equal(read(`data: ${'x'.repeat(990)}\n\n`).length, 1)
})

t.test('the data of an event counts in bytes, and so do the ends of its lines', async t => {
  const lines = (count: number, value: string) => `data:${value}\n`.repeat(count)
  // Each line but the first has one byte more.
  for (const [count, value] of [[1001, ''], [500, 'x'], [333, 'é']] as const) {
    t.strictSame(read(`${lines(count, value)}\n`), [event('message', Array(count).fill(value).join('\n'))], `${count} of "${value}"`)
    t.throws(() => read(lines(count + 1, value)), FeedParseError)
    t.throws(() => read(...lines(count + 1, value)), FeedParseError, 'by the character')
  }
  t.equal(read(`${lines(1001, '')}\n${lines(1001, '')}\n`).length, 2, 'each event for itself')
  t.equal(read(...'é'.repeat(500), '\n\n', 'data: y\n\n').length, 1)
  t.throws(() => read(...'é'.repeat(501)), FeedParseError)
})
