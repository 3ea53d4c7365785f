import { spawn, type ChildProcess } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import { connect, type AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'
import { setTimeout } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { Test } from 'tap'
import { freePort } from '../../support/free-port.ts'
import { until } from '../../support/until.ts'
import { startRelay, type Relay } from './relay.ts'
import { has } from './command.ts'

/** What a service was asked (where: Node's alone says), with its headers as CGI names them (RFC 3875 §4.1.18): WSGI and PHP know no others. */
export interface Seen {
  readonly by: string
  readonly method: string
  readonly url?: string
  readonly bytes: number
  readonly headers: Readonly<Record<string, string>>
}

/** Services that know nothing of tokens and answer with what they see; which of them is asked, a path's beginning says. */
export interface Services extends Relay {
  /** The beginnings of the paths. */
  readonly kinds: readonly string[]
}

const HERE = fileURLToPath(new URL('../../../../test/gateways/support/', import.meta.url))

/** Python's and PHP's where they are installed, Node's always. */
export async function startServices (t: Test): Promise<Services> {
  const node = await startNode(t)
  const ports: Record<string, number> = { '/node/': node }
  if (await has('python3')) ports['/wsgi/'] = await startProcess(t, port => ['python3', `${HERE}service.py`, String(port)])
  if (await has('php')) ports['/php/'] = await startProcess(t, port => ['php', '-S', `127.0.0.1:${port}`, `${HERE}service.php`])
  const relay = await startRelay(t, start => Object.entries(ports).find(([path]) => start.includes(` ${path}`))?.[1] ?? node)
  return Object.assign(relay, { kinds: Object.keys(ports) })
}

async function startProcess (t: Test, command: (port: number) => [string, ...string[]]): Promise<number> {
  const port = await freePort()
  const [name, ...options] = command(port)
  const child: ChildProcess = spawn(name, options, { stdio: 'ignore' })
  const gone = once(child, 'exit')
  t.teardown(async () => {
    child.kill('SIGKILL')
    await gone
  })
  await until(() => answers(port))
  return port
}

/** Whether anybody listens on a port. */
export async function answers (port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1')
  const isThere = await once(socket, 'connect').then(() => true, () => false)
  socket.destroy()
  return isThere
}

async function startNode (t: Test): Promise<number> {
  const server = createServer({ maxHeaderSize: 64 * 1024 }, async (request, response) => {
    const seen: Seen = { by: 'node', method: request.method ?? '', url: request.url ?? '', bytes: (await buffer(request)).length, headers: asCgi(request) }
    // A connection for each request, which the relay can count; and its own word on CORS, which the gateway overrules.
    response.setHeader('Connection', 'close').setHeader('Access-Control-Allow-Origin', '*')
    if (request.url === '/node/slow') await setTimeout(16_000)
    const isForAdmins = request.url === '/node/admins'
    response.writeHead(isForAdmins && seen.headers.HTTP_X_AUTH_ROLE !== 'admin' ? 403 : 200, { 'Content-Type': 'application/json' })
    response.end(JSON.stringify(seen))
  })
  server.on('upgrade', (request, socket) => {
    const accept = createHash('sha1').update(`${request.headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64')
    socket.on('error', () => {})
    socket.write(`HTTP/1.1 101 Switching Protocols\r\nUpgrade: ${request.headers.upgrade}\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`)
    socket.pipe(socket)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  return (server.address() as AddressInfo).port
}

function asCgi ({ rawHeaders }: IncomingMessage): Record<string, string> {
  const headers: Record<string, string> = {}
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = `HTTP_${rawHeaders[at]?.toUpperCase().replace(/[^A-Z0-9]/g, '_')}`
    headers[name] = [headers[name], rawHeaders[at + 1]].filter(value => value !== undefined).join(',')
  }
  return headers
}
