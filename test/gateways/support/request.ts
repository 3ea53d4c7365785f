import { request } from 'node:http'
import { buffer } from 'node:stream/consumers'

/** What a client sends: its headers to the letter, in their order, as often as they come. */
export interface Sent {
  headers?: readonly (readonly [name: string, value: string])[]
  body?: Buffer
}

/** What it is answered. */
export interface Heard {
  readonly status: number
  /** By name in lower case, each as often as it came. */
  readonly headers: Readonly<Record<string, readonly string[]>>
  readonly body: string
}

// Not the address that everything else here comes from.
export const CLIENT_ADDRESS = '127.0.0.2'

/** @param target method and path, which is sent as it stands */
export function send (port: number, target: string, { headers = [], body = bodyOf(target) }: Sent = {}): Promise<Heard> {
  return new Promise((resolve, reject) => {
    const asking = begin(port, target, [
      ['Host', 'app.example.com'],
      ...headers.some(([name]) => name === 'Connection') ? [] : [['Connection', 'close']] as const,
      ...body === undefined ? [] : [['Content-Length', String(body.length)]] as const,
      ...headers
    ])
    asking.once('error', reject)
    asking.once('response', response => {
      buffer(response).then(bytes => resolve({
        status: response.statusCode ?? 0,
        headers: response.headersDistinct as Record<string, string[]>,
        body: bytes.toString()
      }), reject)
    })
    asking.end(body)
  })
}

/** What is sent where nothing is said: an empty body, of a request that may have one. */
function bodyOf (target: string): Buffer | undefined {
  return /^(?:GET|HEAD|OPTIONS|TRACE) /.test(target) ? undefined : Buffer.alloc(0)
}

/** Asks for another protocol. @returns the status of the answer, and what came back through the connection where it was opened */
export function openUpgrade (port: number, path: string, protocol: string, { headers = [] }: Sent = {}): Promise<{ status: number, echo?: string }> {
  return new Promise((resolve, reject) => {
    const asking = begin(port, `GET ${path}`, [
      ['Host', 'app.example.com'],
      ['Connection', 'Upgrade'],
      ['Upgrade', protocol],
      ['Sec-WebSocket-Version', '13'],
      ['Sec-WebSocket-Key', 'dGhlIHNhbXBsZSBub25jZQ=='],
      ...headers
    ])
    asking.once('error', reject)
    asking.once('response', response => {
      response.resume()
      response.once('end', () => resolve({ status: response.statusCode ?? 0 }))
    })
    asking.once('upgrade', ({ statusCode = 0 }, socket) => {
      socket.once('error', reject)
      socket.once('data', (bytes: Buffer) => {
        resolve({ status: statusCode, echo: bytes.toString() })
        socket.destroy()
      })
      socket.write('through')
    })
    asking.end()
  })
}

export function openWebSocket (port: number, path: string, sent?: Sent): Promise<{ status: number, echo?: string }> {
  return openUpgrade(port, path, 'websocket', sent)
}

function begin (port: number, target: string, headers: readonly (readonly [string, string])[]) {
  const [method, path] = target.split(' ')
  return request({ host: '127.0.0.1', port, localAddress: CLIENT_ADDRESS, method, path, agent: false, headers: headers.flat() })
}
