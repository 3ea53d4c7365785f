import { createHash, randomBytes } from 'node:crypto'
import http, { ServerResponse, type IncomingMessage, type Server } from 'node:http'

type Answer = (request: IncomingMessage, response: ServerResponse) => void

/** Makes a server hand WebSocket handshakes on as requests that are answered like others, as the libraries for it do. */
export function routeHandshakes (server: Server, answer: Answer): void {
  server.on('upgrade', (request, socket) => {
    const response = new ServerResponse(request)
    response.shouldKeepAlive = false
    response.assignSocket(socket as Parameters<typeof response.assignSocket>[0])
    response.on('finish', () => socket.end())
    socket.on('end', () => socket.end())
    socket.on('error', () => {})
    socket.resume()
    answer(request, response)
  })
}

/** Answers a handshake by opening the WebSocket (RFC 6455 §4.2.2). */
export function accept (request: IncomingMessage): void {
  const key = createHash('sha1').update(`${request.headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64')
  request.socket.write(`HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${key}\r\n\r\n`)
}

/** Opens a WebSocket as a browser does. @returns the status: 101 where it is open */
export async function openWebSocket (url: string, headers: Readonly<Record<string, string>>): Promise<number> {
  const key = randomBytes(16).toString('base64')
  const request = http.get(url, { headers: { connection: 'Upgrade', upgrade: 'websocket', 'sec-websocket-version': '13', 'sec-websocket-key': key, ...headers } })
  return await new Promise((resolve, reject) => {
    request.on('error', reject)
    request.on('upgrade', (_response, socket) => {
      socket.destroy()
      resolve(101)
    })
    request.on('response', response => {
      response.resume()
      resolve(response.statusCode ?? 0)
    })
  })
}
