import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import t, { type Test } from 'tap'
import { blocksOf, readPage } from '../docs/markdown.ts'
import { freePort } from '../support/free-port.ts'
import { callsTo } from '../support/instances.ts'
import { PASSWORD, startService } from '../support/service.ts'
import { startNginx, withNginx } from './nginx.ts'

/** What a service behind the gateway was asked. */
interface Asked {
  method: string
  body: string
  headers: IncomingMessage['headers']
}

t.test('the guide shows the configuration that is tried here', async t => {
  const [block] = blocksOf(await readPage('docs/gateways.md')).filter(({ language }) => language === 'nginx')
  t.equal(block?.text, await readPage('examples/nginx/nginx.conf'))
})

t.test('nginx asks who it is before it lets anybody in', withNginx, async t => {
  const listen = await freePort()
  const service = await startService(t, { PUBLIC_URL: `http://127.0.0.1:${listen}`, TRUST_PROXY: 'loopback' })
  const countersign = Number(new URL(await service.listen()).port)
  const { asked, port } = await startEcho(t)
  await startNginx(t, { listen, countersign, service: port })
  const { call, person } = callsTo(`http://127.0.0.1:${listen}`)
  const ada = await person()

  /** What the service behind was asked at most once, and the answer. */
  async function through (...request: Parameters<typeof call>) {
    asked.length = 0
    const { status, headers } = await call(...request)
    return { status, headers, asked: asked[0] }
  }

  t.test('and tells the service behind', async t => {
    const { status, asked } = await through('GET /orders?page=2', { token: ada.accessToken })
    t.equal(status, 200)
    t.match(asked?.headers, { 'x-auth-user-id': ada.user.id, 'x-auth-role': 'user' })
    t.notOk(asked?.headers['x-auth-email'], 'an address that is not verified is no identity')
  })

  t.test('and its address too, once it is verified', async t => {
    const bob = await person()
    await service.sql('UPDATE users SET email_verified = true WHERE id = $1::uuid', bob.user.id)
    const { accessToken } = await service.logIn(bob)
    const { asked } = await through('GET /orders', { token: accessToken })
    t.equal(decodeURIComponent(String(asked?.headers['x-auth-email'])), bob.email)
  })

  t.test('believes nothing of the kind from outside', async t => {
    const headers = { 'X-Auth-User-Id': 'somebody', 'X-Auth-Role': 'admin', 'X-Auth-Email': 'root%40example.com', X_Auth_Role: 'admin' }
    const { asked } = await through('GET /orders', { token: ada.accessToken, headers })
    t.match(asked?.headers, { 'x-auth-user-id': ada.user.id, 'x-auth-role': 'user' })
    t.strictSame([asked?.headers['x-auth-email'], asked?.headers.x_auth_role], [undefined, undefined])
    t.match(await through('GET /orders', { headers }), { status: 401, asked: undefined })
  })

  t.test('passes the refusal on, and asks the service nothing', async t => {
    t.match(await through('GET /orders'), { status: 401, headers: { 'www-authenticate': 'Bearer' }, asked: undefined })
    t.match(await through('GET /orders', { token: 'a.b.c' }), { status: 401, headers: { 'www-authenticate': 'Bearer error="invalid_token"' }, asked: undefined })
  })

  t.test('hands a body to the service alone', async t => {
    const { status, asked } = await through('POST /orders', { token: ada.accessToken, json: { item: 'book' } })
    t.equal(status, 200)
    t.match(asked, { method: 'POST', body: '{"item":"book"}' })
  })

  t.test('keeps nobody it asks about from the question itself', async t => {
    t.equal((await call('GET /countersign', { token: ada.accessToken })).status, 404)
  })

  t.test('lets a browser in by its cookie', async t => {
    const cookies = await cookiesOf(ada)
    t.match((await through('GET /orders', { cookies })).asked?.headers, { 'x-auth-user-id': ada.user.id })
  })

  t.test('holds what changes something to the cross-site rule', async t => {
    const cookies = await cookiesOf(ada)
    for (const method of ['POST', 'PUT', 'PATCH', 'DELETE']) {
      t.match(await through(`${method} /orders`, { cookies, headers: { 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' } }), { status: 403, asked: undefined }, method)
      t.match(await through(`${method} /orders`, { cookies, headers: { 'sec-fetch-site': 'same-origin' } }), { status: 200, asked: { method } }, method)
    }
    t.match(await through('POST /orders', { cookies, headers: { 'x-forwarded-method': 'GET', origin: 'https://evil.example' } }), { status: 403 }, 'whatever a client says of its method')
    t.match(await through('GET /orders', { cookies, headers: { 'sec-fetch-site': 'cross-site' } }), { status: 200 }, 'reading is no matter')
  })

  t.test('refuses who has logged out, at once', async t => {
    const { accessToken: token } = await service.logIn(ada)
    t.equal((await through('GET /orders', { token })).status, 200)
    t.equal((await call('POST /auth/logout', { token })).status, 204)
    t.match(await through('GET /orders', { token }), { status: 401, asked: undefined })
  })

  t.test('lets nobody in while Countersign is gone, and says to come back', async t => {
    await service.app.close()
    t.match(await through('GET /orders', { token: ada.accessToken }), { status: 503, headers: { 'retry-after': '2' }, asked: undefined })
  })

  async function cookiesOf ({ email }: { email: string }) {
    const { cookies } = await call('POST /auth/login', { json: { email, password: PASSWORD, deliver: 'cookie' }, headers: { 'sec-fetch-site': 'same-origin' } })
    return Object.fromEntries(Object.entries(cookies).map(([name, { value }]) => [name, value]))
  }
})

/** A service that knows nothing of tokens, and keeps what it is asked. */
async function startEcho (t: Test): Promise<{ asked: Asked[], port: number }> {
  const asked: Asked[] = []
  const server = createServer(async (request, response) => {
    asked.push({ method: request.method ?? '', body: await text(request), headers: request.headers })
    response.end('{}')
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => { server.closeAllConnections(); server.close() })
  return { asked, port: (server.address() as AddressInfo).port }
}
