// A closed-loop HTTP/1.1 loader in a process of its own: one request at a time on each kept-alive connection.
// It only finds the end of an answer and its status, so that the server, not the loader, is the bottleneck.
import { readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { sizeOfAnswer, statusOf } from './answer.js'

const DRAIN_MS = 8000

const lists = new Map()
const cursors = new Map()

process.on('disconnect', () => process.exit())
process.on('message', async ({ define, job }) => {
  if (define) lists.set(define.name, define.items ?? readFileSync(define.file, 'latin1').split('\n').filter(Boolean))
  process.send(job ? await run(job) : {})
})

/**
 * @param job.head, job.tail  what stands before and after each item of the list `job.list`
 * @param job.once            every item is sent once in the life of the loader; the round ends when none is left
 * @param job.perSecond       a timetable for all connections together; without it each sends as soon as it is answered
 * @param job.pauseMs         how long a connection waits after an answer
 * @param job.sources         how many loopback addresses to call from
 */
async function run ({ port, head, tail = '', list, once = false, connections, seconds, perSecond, pauseMs = 0, sources = 1 }) {
  const items = lists.get(list)
  const cursor = cursors.get(list) ?? { once: 0 }
  cursors.set(list, cursor)
  let next = 0
  const statuses = {}
  const latencies = []
  const spacingMs = perSecond ? connections / perSecond * 1000 : 0
  const clock = { start: 0, end: 0 }
  let errors = 0
  let inWindow = 0

  function takeRequest () {
    if (once) return cursor.once < items.length ? head + items[cursor.once++] + tail : undefined
    return head + items[next++ % items.length] + tail
  }

  const clients = await Promise.all(Array.from({ length: connections }, (_, index) => open(index)))
  const cpu = process.cpuUsage()
  clock.start = performance.now()
  clock.end = clock.start + seconds * 1000
  const drained = Promise.all(clients.map(client => client.go()))
  const stopped = new Promise(resolve => setTimeout(resolve, seconds * 1000))
  const exhausted = once ? drained.then(() => performance.now()) : new Promise(() => {})
  const finishedAt = await Promise.race([stopped.then(() => clock.end), exhausted])
  const busy = process.cpuUsage(cpu)
  const requests = inWindow
  await Promise.race([drained, new Promise(resolve => setTimeout(resolve, DRAIN_MS))])
  const wallSeconds = (performance.now() - clock.start) / 1000
  for (const client of clients) client.close()

  const elapsed = (finishedAt - clock.start) / 1000
  return {
    wallSeconds,
    perSecond: requests / elapsed,
    statuses,
    errors,
    busy: (busy.user + busy.system) / 1e6 / elapsed,
    latencies: Float64Array.from(latencies)
  }

  async function open (index) {
    const buffer = Buffer.allocUnsafe(65536)
    let socket, done, sentAt, timer
    let held = null
    let usualSize = -1
    let usualStatus = 0
    let dueAt = 0
    let closing = false

    const dial = () => new Promise((resolve, reject) => {
      const localAddress = sources > 1 ? `127.0.0.${2 + index % sources}` : undefined
      socket = connect({ host: '127.0.0.1', port, localAddress, noDelay: true, onread: { buffer, callback: received } }, resolve)
      socket.on('error', reject)
      socket.on('close', lost)
    })
    await dial()

    function send (from) {
      const now = performance.now()
      const request = now < clock.end ? takeRequest() : undefined
      if (request === undefined) return done()
      sentAt = from ?? now
      socket.write(request, 'latin1')
    }

    function received (size) {
      if (held === null && size === usualSize && statusOf(buffer) === usualStatus) answered(usualStatus)
      else collect(Buffer.from(buffer.subarray(0, size)))
      return true
    }

    function collect (chunk) {
      held = held ? Buffer.concat([held, chunk]) : chunk
      const size = sizeOfAnswer(held)
      if (size === undefined || held.length < size) return
      usualSize = held.length
      usualStatus = statusOf(held)
      held = null
      answered(usualStatus)
    }

    function answered (status) {
      const now = performance.now()
      statuses[status] = (statuses[status] ?? 0) + 1
      latencies.push(now - sentAt)
      sentAt = undefined
      if (now <= clock.end) inWindow++
      if (spacingMs) keepTimetable(now)
      else if (pauseMs) timer = setTimeout(send, pauseMs)
      else send()
    }

    // A request the last answer delayed counts from when it was due, else slow answers would hide themselves.
    function keepTimetable (now) {
      dueAt += spacingMs
      if (dueAt <= now) send(dueAt)
      else timer = setTimeout(send, dueAt - now)
    }

    async function lost () {
      if (closing) return
      errors++
      held = null
      sentAt = undefined
      await new Promise(resolve => setTimeout(resolve, 20))
      if (performance.now() < clock.end) dial().then(() => send(), () => {})
      else done?.()
    }

    return {
      go: () => new Promise(resolve => {
        done = resolve
        dueAt = clock.start + spacingMs * index / connections
        if (spacingMs) timer = setTimeout(send, dueAt - clock.start)
        else send()
      }),
      close () {
        closing = true
        // An answer that never came took at least this long.
        if (sentAt !== undefined) latencies.push(performance.now() - sentAt)
        clearTimeout(timer)
        socket.destroy()
      }
    }
  }
}
