import { once } from 'node:events'
import http, { METHODS } from 'node:http'
import { connect } from 'node:net'
import { json, text } from 'node:stream/consumers'
import t from 'tap'
import type { Principal } from '../../verifier/src/index.ts'
import { fieldsOf, isProblem } from '../support/problem.ts'
import { startService } from '../support/service.ts'

t.test('/auth/verify, for any request of a gateway', async t => {
  const service = await startService(t, { PUBLIC_URL: 'https://auth.example.com', ALLOWED_ORIGINS: 'https://app.example.com' })
  const { call } = service
  const { accessToken: token, user } = await service.person()
  const methods = METHODS.filter(method => method !== 'CONNECT')
  const origin = await service.listen()

  for (const path of ['/auth/verify', '/auth/verify/', '/auth/verify/orders', '/auth/verify/health/live', '/auth/verify/%ff', '/auth/verify/caf%E9', `/auth/verify/${'long/'.repeat(200)}`, `/auth/verify/${'x'.repeat(2000)}`]) {
    t.test(`every method is answered as GET is: ${path.slice(0, 40)}`, async t => {
      for (const method of methods) {
        const good = await call<Principal>(`${method} ${path}`, { token })
        t.match(good, { status: 200, headers: { 'x-auth-user-id': user.id, 'x-auth-role': 'user', 'cache-control': 'no-store' } }, method)
        t.equal(good.body.id, user.id, method)
        const none = await call(`${method} ${path}`)
        t.match(none, { status: 401, headers: { 'www-authenticate': 'Bearer' } }, method)
        t.equal((await call(`${method} ${path}`, { token: 'x' })).status, 401, method)
      }
    })
  }

  t.test('ignores a body and its type', async t => {
    const bodies = [
      ['malformed', 'application/json', '{'], ['of another type', 'text/plain', 'x'], ['of a type that is none', ';', 'x'], ['empty', 'application/json', ''],
      ['a form', 'application/x-www-form-urlencoded', 'role=admin'], ['too deep', 'application/json', '['.repeat(100)], ['large', 'application/octet-stream', 'x'.repeat(100_000)]
    ] as const
    for (const [about, type, text] of bodies) {
      for (const method of ['POST', 'PUT', 'DELETE', 'QUERY', 'OPTIONS', 'PROPFIND']) {
        for (const path of ['/auth/verify', '/auth/verify/x']) {
          t.equal((await call(`${method} ${path}`, { token, text, headers: { 'content-type': type } })).status, 200, `${method} ${path}, ${about}`)
          isProblem(t, await call(`${method} ${path}`, { text, headers: { 'content-type': type } }), 'unauthenticated', `${method} ${path}, ${about}`)
        }
      }
    }
  })

  t.test('a body of 5 MB changes nothing, and the connection stays open', async t => {
    const { hostname, port } = new URL(origin)
    const socket = connect(Number(port), hostname)
    const body = Buffer.alloc(5 * 1024 * 1024, 'x')
    socket.write(`POST /auth/verify HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${token}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n`)
    socket.write(body)
    socket.write('GET /auth/verify/next HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')
    t.match(await text(socket), /^HTTP\/1\.1 200 [^]*\r\n\r\n\{"id":[^]*HTTP\/1\.1 401 /)
  })

  t.test('HEAD is answered with the headers of GET, and no body', async t => {
    for (const path of ['/auth/verify', '/auth/verify/orders']) {
      const [get, head] = [await fetch(origin + path, { headers: { authorization: `Bearer ${token}` } }), await fetch(origin + path, { method: 'HEAD', headers: { authorization: `Bearer ${token}` } })]
      for (const name of ['content-type', 'content-length', 'x-auth-user-id', 'x-auth-role']) t.equal(head.headers.get(name), get.headers.get(name), name)
      t.equal(await head.text(), '')
    }
  })

  t.test('a preflight is a request like any other', async t => {
    const preflight = { origin: 'https://app.example.com', 'access-control-request-method': 'POST' }
    for (const headers of [{}, preflight, { ...preflight, origin: 'https://evil.example' }, { origin: preflight.origin }, { 'access-control-request-method': 'GET' }]) {
      for (const path of ['/auth/verify', '/auth/verify/orders']) {
        isProblem(t, await call(`OPTIONS ${path}`, { headers }), 'unauthenticated', JSON.stringify(headers))
        t.equal((await call(`OPTIONS ${path}`, { headers, token })).status, 200)
      }
    }
    t.equal((await call('OPTIONS /auth/me', { headers: preflight })).status, 204, 'other routes answer it')
    t.equal((await call('GET /auth/verify', { token, headers: { origin: preflight.origin } })).headers['access-control-allow-origin'], preflight.origin)
  })

  t.test('a parameter that it does not know is 422, by every method', async t => {
    for (const method of methods) {
      const answer = await call(`${method} /auth/verify?role=admin&a/b=1`, { token })
      isProblem(t, answer, 'validation_failed', method)
      t.strictSame(fieldsOf(answer), ['a/b', 'role'], method)
    }
    for (const query of ['role', '=', '__proto__=1', 'role[]=admin']) isProblem(t, await call(`GET /auth/verify?${query}`, { token }), 'validation_failed', query)
    isProblem(t, await call('GET /auth/verify?role=admin'), 'unauthenticated', 'who is not known is told nothing else')
    t.equal((await call('GET /auth/verify?', { token })).status, 200)
  })

  t.test("below, parameters are the asker's own, and mean nothing", async t => {
    for (const path of ['/auth/verify/?role=admin', '/auth/verify/orders?role=admin&next=/../x', '/auth/verify/x?..']) {
      t.match(await call<Principal>(`GET ${path}`, { token }), { status: 200, headers: { 'x-auth-role': 'user' } }, path)
    }
  })

  /** Sends a request on a socket, with a path that no client normalises. */
  async function ask (method: string, path: string, headers: Record<string, string> = {}) {
    const request = http.request(origin, { method, path, headers }).end()
    const [response] = await once(request, 'response') as [http.IncomingMessage]
    return { status: response.statusCode, body: await json(response) as { code?: string } }
  }

  t.test('a path with a dot segment is 400, however it is written', async t => {
    const hostile = [
      '.', '..', '../', './x', '../../health/live', 'a/../b', 'a/./b', 'a/..', 'a/.', '%2e', '%2E%2e', '.%2e', '%2e./x', 'a/%2E%2E/b', '..\\x', 'a\\..\\b', 'a\\..', '..%2fx', 'a%2F..%2Fb', 'a%5c..%5Cb',
      'a%2f%2e%2e', '%252e%252e', '%25252e%25252e/x', 'a%252f..', 'a/..%252fb', '%25%32%65%25%32%65', '..;/x', 'a/..;b=c/d', '..%3b/x', '.;', '//..', 'a//../b', '..#', '..?a=b', '..%23', '..%3fx/y', '..%253fx', '..%00/x', '..%20/x', '..%09/x', '%2525252e%2525252e/x', 'a/%c0%ae%c0%ae/b', '..%c0%afb', '..%C1%9cb', '%e0%80%ae./x', '%25c0%25ae./x', `%${'25'.repeat(50)}2e`
    ]
    for (const below of hostile) {
      for (const method of ['GET', 'POST', 'OPTIONS', 'PROPFIND']) {
        t.match(await ask(method, `/auth/verify/${below}`, { authorization: `Bearer ${token}` }), { status: 400, body: { code: 'malformed_request' } }, `${method} ${below}`)
        t.match(await ask(method, `/auth/verify/${below}`), { status: 400, body: { code: 'malformed_request' } }, `${method} ${below}, without a credential`)
      }
    }
    for (const below of ['...', '.x', '..x', 'x..', '.well-known/x', 'a.b', '%2e%2e%2e', 'a/..b', '%2ex', 'a;..', '100%25', '%C3%BC', 'x%2Fy', '?/../']) {
      t.equal((await ask('GET', `/auth/verify/${below}`, { authorization: `Bearer ${token}` })).status, 200, below)
    }
  })

  t.test('a path that only looks like it is 404, and a malformed one 400', async t => {
    const lookalikes = ['/auth/verifyx', '/auth/verify%2fx', '/auth/verify;x', '/auth/verify%2f..', '/auth/verify\\..', '/auth/./verify', '/auth//verify', '/AUTH/VERIFY', '/auth/verify.']
    for (const path of lookalikes) {
      for (const method of ['GET', 'POST', 'PROPFIND']) t.match(await ask(method, path, { authorization: `Bearer ${token}` }), { status: 404, body: { code: 'not_found' } }, `${method} ${path}`)
    }
    t.match(await ask('GET', '/auth/verify/%zz', { authorization: `Bearer ${token}` }), { status: 400, body: { code: 'malformed_request' } })
  })
})
