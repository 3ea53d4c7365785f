// FOLLOWERS connections to the feed, which come at once and only look for the first sync: what parses events would be slower
// than what is measured. The parent asks how many have one.
import { connect } from 'node:net'

const { COUNTERSIGN_URL, CLIENT_ID, CLIENT_SECRET, FOLLOWERS = '500', STALLED = '0', LAST_EVENT_ID } = process.env
const { hostname, port } = new URL(COUNTERSIGN_URL)
const authorization = `Basic ${Buffer.from(`${CLIENT_ID}:${CLIENT_SECRET}`).toString('base64')}`
const SYNC = Buffer.from('event: sync')

const counts = { connected: 0, synced: 0, refused: 0, closed: 0, bytes: 0 }

for (let index = 0; index < Number(FOLLOWERS); index++) open(index)

function open (index) {
  const socket = connect({ port: Number(port), host: hostname })
  const cursor = LAST_EVENT_ID === undefined ? '' : `Last-Event-ID: ${LAST_EVENT_ID}\r\n`
  socket.write(`GET /revocations HTTP/1.1\r\nHost: ${hostname}\r\nAuthorization: ${authorization}\r\n${cursor}\r\n`)
  if (index < Number(STALLED)) {
    socket.once('connect', () => { counts.connected++ })
    socket.pause()
  }
  let isFirst = true
  let isSynced = false
  let rest = Buffer.alloc(0)
  socket.on('data', part => {
    counts.bytes += part.length
    if (isFirst) {
      isFirst = false
      if (part.subarray(9, 12).toString() === '200') counts.connected++
      else counts.refused++
    }
    if (isSynced) return
    isSynced = part.includes(SYNC) || Buffer.concat([rest, part.subarray(0, 16)]).includes(SYNC)
    rest = Buffer.from(part.subarray(-16))
    if (isSynced) counts.synced++
  })
  socket.on('error', () => {})
  socket.on('close', () => {
    counts.closed++
    // As a follower does.
    if (!isSynced) setTimeout(open, 1_000 + Math.random() * 2_000, index)
  })
}

process.on('message', () => process.send(counts))
process.on('disconnect', () => process.exit())
