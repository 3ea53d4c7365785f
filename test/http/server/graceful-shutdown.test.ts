import { once } from 'node:events'
import { connect } from 'node:net'
import t from 'tap'
import { startService } from '../../support/service.ts'

t.test('a client that stalls holds up a stop no longer than a request may take', async t => {
  const service = await startService(t)
  const { hostname, port } = new URL(await service.listen())
  const halves = ['GET /auth/verify HTTP/1.1\r\nHost: x\r\n', 'POST /auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{']
  await Promise.all(halves.map(async half => {
    const socket = connect(Number(port), hostname).on('error', () => {})
    t.teardown(() => { socket.destroy() })
    await once(socket, 'connect')
    socket.write(half)
  }))
  // Once the answer to a later request is there, the beginnings of these have been read.
  t.equal((await fetch(`http://${hostname}:${port}/health/live`)).status, 200)

  const began = performance.now()
  await service.app.close()
  const waited = performance.now() - began
  t.ok(waited > 5_000, 'what has begun gets its time')
  t.ok(waited < 13_000, `${Math.round(waited)} ms`)
})
