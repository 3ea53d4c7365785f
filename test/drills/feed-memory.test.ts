import { connect, type Socket } from 'node:net'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import t from 'tap'
import type { Database } from '../../src/database/database.ts'
import { openTestDatabase } from '../support/database.ts'
import { until } from '../support/until.ts'
import { serveFeed } from '../oauth/revocation-feed/serving.ts'

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

const LIVE = 20_000
const FOLLOWERS = 150
const MB = 2 ** 20
const BOUND = FOLLOWERS * 0.25 * MB

/** What this process holds, without what it could give back. */
function heldBytes (): number {
  collectGarbage()
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return heapUsed + arrayBuffers
}

async function fill ({ query }: Database): Promise<void> {
  await query({
    name: 'test.fill-sessions',
    text: `INSERT INTO revocations (kind, subject, expires_at, xid)
      SELECT 'session', gen_random_uuid(), now() + interval '1 hour', pg_current_xact_id()::text::bigint FROM generate_series(1, ${LIVE})`
  }, [])
}

/** Asks for the feed, and reads nothing until it is told to. */
function openSocket (origin: string, client: string): { socket: Socket, isSynced: () => boolean } {
  const { hostname, port } = new URL(origin)
  const socket = connect(Number(port), hostname).pause()
  let [end, synced] = ['', false]
  socket.write(`GET /revocations HTTP/1.1\r\nHost: x\r\nAuthorization: ${client}\r\n\r\n`)
  socket.on('data', part => {
    end += part.toString('latin1')
    synced ||= end.includes('event: sync')
    end = end.slice(-20)
  })
  socket.on('error', () => {})
  return { socket, isSynced: () => synced }
}

t.test('what the feed holds does not grow with those who reconnect at once, however slowly they read', async t => {
  const database = await openTestDatabase(t)
  await fill(database)
  const { origin, responses } = await serveFeed(t, { database })
  const before = heldBytes()
  const followers = Array.from({ length: FOLLOWERS }, (_, index) => openSocket(origin, `client ${index % 3}`))
  t.teardown(() => { for (const { socket } of followers) socket.destroy() })
  // No further than it is known to be too much.
  await until(() => responses.length === FOLLOWERS || heldBytes() - before >= BOUND, 60_000)
  const grown = heldBytes() - before
  t.ok(grown < BOUND, `${(grown / MB).toFixed(0)} MB for ${FOLLOWERS} followers that do not read`)

  for (const { socket } of followers) socket.resume()
  await until(() => followers.every(({ isSynced }) => isSynced()), 60_000)
  const afterwards = heldBytes() - before
  t.ok(afterwards < BOUND, `${(afterwards / MB).toFixed(0)} MB afterwards`)
})
