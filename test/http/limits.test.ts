import { connect, type Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import t from 'tap'
import { registerClient } from '../support/clients.ts'
import { isSync, readFeed } from '../support/feed.ts'
import { startService } from '../support/service.ts'

t.test('on a real socket', async t => {
  const service = await startService(t)
  const origin = await service.listen()
  const { hostname, port } = new URL(origin)

  /** Sends bytes as they stand, and gives all that comes back. */
  async function send (bytes: string): Promise<{ status: number, head: string, body: string }> {
    const socket = connect(Number(port), hostname)
    socket.on('error', () => {})
    socket.write(bytes)
    const answer = await text(socket)
    const [head = '', body = ''] = answer.split('\r\n\r\n')
    return { status: Number(head.split(' ')[1]), head, body }
  }

  const request = (line: string, headers: readonly string[] = [], body = '') =>
    send([line, 'Host: localhost', 'Connection: close', ...headers, '', body].join('\r\n'))

  const isProblemOf = (status: number, code: string) => ({ status, head: /content-type: application\/problem\+json/i, body: new RegExp(`"code":"${code}"`) })

  t.test('headers over 8 KB are 431', async t => {
    t.match(await request('GET /auth/verify HTTP/1.1', [`X-Filler: ${'x'.repeat(9 * 1024)}`]), isProblemOf(431, 'headers_too_large'))
    t.match(await request('GET /auth/verify HTTP/1.1', Array.from({ length: 90 }, (_, n) => `X-Filler-${n}: ${'x'.repeat(100)}`)), isProblemOf(431, 'headers_too_large'))
    t.match(await request(`GET /${'x'.repeat(9 * 1024)} HTTP/1.1`), isProblemOf(431, 'headers_too_large'))
    t.equal((await request('GET /health/live HTTP/1.1', [`X-Filler: ${'x'.repeat(7 * 1024)}`])).status, 200)
  })

  t.test('a token of 5 KB is 401', async t => {
    t.match(await request('GET /auth/verify HTTP/1.1', [`Authorization: Bearer ${'x'.repeat(5 * 1024)}`]), isProblemOf(401, 'invalid_token'))
    t.match(await request('GET /auth/verify HTTP/1.1', [`Cookie: access=${'x'.repeat(5 * 1024)}`]), isProblemOf(401, 'invalid_token'))
  })

  t.test('a body over 16 KB is 413, its length told or not', async t => {
    const filler = 'x'.repeat(17 * 1024)
    t.match(await request('POST /auth/login HTTP/1.1', ['Content-Type: application/json', `Content-Length: ${filler.length}`], filler), isProblemOf(413, 'body_too_large'))
    t.match(await request('POST /auth/login HTTP/1.1', ['Content-Type: application/json', 'Content-Length: 1000000000'], 'x'), isProblemOf(413, 'body_too_large'))
    t.match(await request('POST /auth/login HTTP/1.1', ['Content-Type: application/json', 'Transfer-Encoding: chunked'], `${filler.length.toString(16)}\r\n${filler}\r\n0\r\n\r\n`), isProblemOf(413, 'body_too_large'))
  })

  t.test('what is no HTTP is 400, as a problem', async t => {
    const hostile = {
      'no request': 'hello\r\n\r\n',
      'another protocol': '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n',
      'a method of nobody': 'STEAL /auth/me HTTP/1.1\r\nHost: x\r\n\r\n',
      'a header without a name': 'GET / HTTP/1.1\r\nHost: x\r\n: x\r\n\r\n',
      'a header with a space in its name': 'GET / HTTP/1.1\r\nHost: x\r\nAuthor ization: x\r\n\r\n',
      'a NUL in a header': 'GET /auth/verify HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer a\0b\r\n\r\n',
      'two lengths': 'POST /auth/login HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}',
      'a length and chunks': 'POST /auth/login HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
      'a length that is none': 'POST /auth/login HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n',
      'chunks that are none': 'POST /auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n'
    }
    for (const [name, bytes] of Object.entries(hostile)) {
      const answer = await send(bytes)
      t.match(answer, isProblemOf(400, 'malformed_request'), name)
      t.notMatch(answer.head + answer.body, /HPE_|node|llhttp|parse/i, name)
    }
  })

  t.test('a request that hangs is given up after ten seconds, a body or headers alike; a stream goes on', async t => {
    const { authorization } = await registerClient(service.database, 'revocations:read')
    const feed = await readFeed(t, origin, { authorization })
    await feed.next(isSync)
    const began = performance.now()
    const stalled = ['POST /auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{', 'GET /auth/verify HTTP/1.1\r\nHost: x\r\n']
    for (const answer of await Promise.all(stalled.map(send))) t.match(answer, isProblemOf(408, 'request_timeout'))
    const waited = performance.now() - began
    t.ok(waited > 9_000 && waited < 13_000, `${Math.round(waited)} ms`)
    t.ok(await feed.next(isSync))
  })

  t.test('two Authorization headers are refused, in either order', async t => {
    const headers = [(await service.person()).accessToken, (await service.person()).accessToken].map(token => `Authorization: Bearer ${token}`)
    for (const pair of [headers, [headers[0] ?? '', 'Authorization: Bearer x'], ['Authorization: Bearer x', headers[0] ?? '']]) {
      t.equal((await request('GET /auth/verify HTTP/1.1', pair)).status, 401)
    }
  })

  t.test('cookies in two headers are read as in one: the same name twice is refused', async t => {
    const { access } = await service.cookiesOf(await service.person())
    t.equal((await request('GET /auth/verify HTTP/1.1', ['Cookie: a=b', `Cookie: access=${access}`])).status, 200)
    t.equal((await request('GET /auth/verify HTTP/1.1', [`Cookie: access=${access}`, `Cookie: access=${access}`])).status, 401)
  })

  t.test('a body that its client cuts off is nobody\'s failure', async t => {
    const socket = connect(Number(port), hostname)
    socket.write('POST /auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{')
    const closed = new Promise(resolve => { service.app.server.once('connection', (near: Socket) => near.once('close', resolve)) })
    socket.on('connect', () => setImmediate(() => socket.resetAndDestroy()))
    await closed
    await fetch(`${origin}/health/live`)
    t.strictSame(service.log.filter(({ level }) => level >= 50), [])
  })

  t.test('a client that goes away while it waits is nobody\'s failure', async t => {
    const { email, password } = await service.person()
    const held = service.hold('sessions.open')
    const controller = new AbortController()
    const login = fetch(`${origin}/auth/login`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ email, password }), signal: controller.signal })
    await held.reached
    controller.abort()
    await t.rejects(login)
    held.release()
    t.equal((await fetch(`${origin}/health/ready`)).status, 200)
    t.strictSame(service.log.filter(({ level }) => level >= 50), [])
  })
})
