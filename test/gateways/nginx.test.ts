import { connect } from 'node:net'
import { buffer } from 'node:stream/consumers'
import t from 'tap'
import { needs } from './support/command.ts'
import { cookie } from './support/credentials.ts'
import { startGateway } from './support/gateway.ts'
import { nginx } from './support/gateways.ts'
import { passesTable } from './support/table.ts'
import { openWorld } from './support/world.ts'

t.test('nginx asks who it is before it lets anybody in', await needs('nginx'), async t => {
  const world = await openWorld(t)
  await startGateway(t, world.places, nginx())

  t.test('and answers no question of its own to anybody outside', async t => {
    t.equal((await world.ask('GET /countersign')).status, 404)
  })

  t.test('and says so where Countersign takes a request for none', async t => {
    const socket = connect(world.places.listen, '127.0.0.1')
    socket.write('GET /node/orders HTTP/1.1\r\nHost: app.example.com\r\nConnection: close\r\nAuthorization: Bearer \u0001\r\n\r\n')
    t.match((await buffer(socket)).toString(), /^HTTP\/1\.1 400 /)
  })

  await passesTable(t, world, { cookies: 'takes ours out', manyCookies: { inOne: 400, inSeveral: 200 }, signIn: 'by redirect' })
})

t.test('over plain http nginx takes out the bare names', await needs('nginx'), async t => {
  const world = await openWorld(t, { PUBLIC_URL: 'http://app.example.com' })
  await startGateway(t, world.places, nginx(['__Secure-access | __Host-(?:', '(?:']))
  const cookies = await world.countersign.cookiesOf(world.ada)
  t.strictSame(Object.keys(cookies).sort(), ['access', 'device', 'refresh'])
  const { seen } = await world.ask('GET /node/orders', { headers: [cookie(cookies, 'theme=dark')] })
  t.match(seen?.headers, { HTTP_COOKIE: 'theme=dark', HTTP_X_AUTH_USER_ID: world.ada.user.id })
})
