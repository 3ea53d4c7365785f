import t from 'tap'
import { connect } from 'node:net'
import { startService } from '../support/service.ts'

t.test('x', async t => {
  const service = await startService(t)
  const origin = await service.listen()
  const { hostname, port } = new URL(origin)
  const live = new Map()
  service.app.server.on('connection', s => { live.set(s.remotePort, s); s.on('close', () => live.delete(s.remotePort)) })
  const mode = process.env.MODE
  if (mode === 'fetch') await fetch(`${origin}/health/live`)
  if (mode === 'fetchtext') await (await fetch(`${origin}/health/live`)).text()
  if (mode === 'abort') {
    const { email, password } = await service.person()
    const held = service.hold('sessions.open')
    const controller = new AbortController()
    const login = fetch(`${origin}/auth/login`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ email, password }), signal: controller.signal })
    await held.reached
    controller.abort()
    await t.rejects(login)
    held.release()
  }
  if (mode === 'cut') {
    const socket = connect(Number(port), hostname)
    socket.write('POST /auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{')
    await new Promise(r => setTimeout(r, 100))
    socket.resetAndDestroy()
    await new Promise(r => setTimeout(r, 100))
  }
  console.error(mode, 'live', live.size)
  const b = Date.now()
  const timer = setInterval(() => console.error('still', live.size, Date.now() - b), 3000)
  await service.app.close()
  clearInterval(timer)
  console.error('closed in', Date.now() - b)
})
