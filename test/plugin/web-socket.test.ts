import t from 'tap'
import type { AddressInfo } from 'node:net'
import { accept, openWebSocket, routeHandshakes } from '../support/web-socket.ts'
import { ADA, bearer, hostWithPlugin, registerAda } from './host.ts'

t.test('a page of another origin opens no WebSocket through a guarded route', async t => {
  const app = await hostWithPlugin(t, {
    allowedOrigins: ['https://app.example.com'],
    build: host => {
      routeHandshakes(host.server, (request, response) => host.routing(request, response))
      host.get('/live', { onRequest: host.authenticate }, (request, reply) => {
        accept(request.raw)
        reply.hijack()
      })
    }
  })
  const token = await registerAda(app)
  await app.listen({ host: '127.0.0.1', port: 0 })
  const url = `http://127.0.0.1:${(app.server.address() as AddressInfo).port}/live`
  const login = await app.inject({ method: 'POST', url: '/auth/login', payload: { ...ADA, deliver: 'cookie' }, headers: { 'sec-fetch-site': 'same-origin' } })
  const cookie = login.cookies.map(({ name, value }) => `${name}=${value}`).join('; ')

  t.equal(await openWebSocket(url, { cookie, origin: 'https://app.example.com' }), 101)
  t.equal(await openWebSocket(url, { cookie, 'sec-fetch-site': 'same-origin' }), 101)
  t.equal(await openWebSocket(url, { cookie, origin: 'https://evil.example' }), 403)
  t.equal(await openWebSocket(url, { cookie, origin: 'https://evil.example', 'sec-fetch-site': 'cross-site', upgrade: 'h2c, WebSocket' }), 403)
  t.equal(await openWebSocket(url, { cookie }), 403, 'nor does what says nothing of where it comes from')
  t.equal(await openWebSocket(url, { cookie, 'x-countersign': '1' }), 101)
  t.equal(await openWebSocket(url, { origin: 'https://evil.example' }), 401)
  t.equal(await openWebSocket(url, { origin: 'https://evil.example', ...bearer(token) }), 101, 'a page that has the token needs no such rule')
})
