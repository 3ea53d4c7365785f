import { connect } from 'node:net'
import type { Test } from 'tap'
import { until } from '../../support/until.ts'
import { bearer } from './credentials.ts'
import { CLIENT_ADDRESS } from './request.ts'
import type { World } from './world.ts'

/** What takes its time is begun before everything else, and looked at after it. @param waits for headers, however long; @returns the rows */
export async function beginsSlowly (t: Test, { ask, ada, places, services }: World, waits = false): Promise<() => Promise<void>> {
  const slow = ask('GET /node/slow', { headers: [bearer(ada.accessToken)] })
  await until(() => Promise.resolve(services.used > 0))
  const closed = waits ? undefined : dribble(t, places.listen)

  return async () => {
    if (closed !== undefined) {
      await t.test('does not wait for the headers of a client that dribbles them', async t => {
        t.ok(await closed < 12_000)
      })
    }
    await t.test('waits for a service that takes 16 s', async t => {
      t.match(await slow, { status: 200, seen: { by: 'node' } })
    })
  }
}

/** Sends a header each second, without an end. @returns how long that went well, in ms; 20 s at most */
async function dribble (t: Test, port: number): Promise<number> {
  const began = performance.now()
  const socket = connect({ port, host: '127.0.0.1', localAddress: CLIENT_ADDRESS })
  // Whoever is cut off may be cut off in the middle of a header.
  socket.on('error', () => {}).resume()
  socket.write('GET /node/orders HTTP/1.1\r\nHost: app.example.com\r\n')
  const pace = setInterval(() => {
    if (performance.now() - began > 20_000) socket.destroy()
    else socket.write('X-Dribble: 1\r\n')
  }, 1000)
  t.teardown(() => {
    clearInterval(pace)
    socket.destroy()
  })
  await new Promise(resolve => { socket.once('close', resolve) })
  clearInterval(pace)
  return performance.now() - began
}
