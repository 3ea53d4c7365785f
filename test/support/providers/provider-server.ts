import { createServer, type IncomingHttpHeaders, type IncomingMessage, type OutgoingHttpHeaders, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Test } from 'tap'

/** A response of a provider. */
export interface Reply {
  status: number
  headers: OutgoingHttpHeaders
  body: string
}

/** A request to a provider. */
export interface Asked {
  readonly method: string
  readonly path: string
  readonly headers: IncomingHttpHeaders
}

export type Listener = (request: IncomingMessage, response: ServerResponse) => void

/** A provider's server on the loopback, which a test can inspect, break and make hostile. */
export interface ProviderServer {
  readonly origin: string
  /** All requests so far, oldest first. */
  readonly asked: readonly Asked[]
  /** Changes the responses of a path, until the test ends. */
  alter (t: Test, path: string, change: (reply: Reply) => Reply | Promise<Reply>): void
  /** Replaces the handler of a path, until the test ends. */
  replace (t: Test, path: string, listener: Listener): void
  /** Refuses connections, until the test ends. */
  takeDown (t: Test): Promise<void>
}

/** Listens on a free port of the loopback until the test ends. @param serve returns the handler for an origin */
export async function startProviderServer (t: Test, serve: (origin: string) => Listener): Promise<ProviderServer> {
  const asked: Asked[] = []
  const changes = new Map<string, (reply: Reply) => Reply | Promise<Reply>>()
  const replacements = new Map<string, Listener>()
  let answer: Listener = () => {}

  const server = createServer((request, response) => {
    const path = pathOf(request)
    asked.push({ method: request.method ?? '', path, headers: request.headers })
    const change = changes.get(path)
    if (change !== undefined) holdBack(response, change)
    const listener = replacements.get(path) ?? answer
    listener(request, response)
  })

  // Idle connections are the client's to close: a server that closes one as a request comes resets it.
  server.keepAliveTimeout = 0
  const listen = (port: number) => new Promise<void>(resolve => { server.listen(port, '127.0.0.1', resolve) })
  async function close (): Promise<void> {
    const closed = new Promise(resolve => { server.close(resolve) })
    server.closeAllConnections()
    await closed
  }

  await listen(0)
  t.teardown(close)
  const { port } = server.address() as AddressInfo
  const origin = `http://127.0.0.1:${port}`
  answer = serve(origin)

  return {
    origin,
    asked,
    alter (t, path, change) {
      changes.set(path, change)
      t.teardown(() => changes.delete(path))
    },
    replace (t, path, listener) {
      replacements.set(path, listener)
      t.teardown(() => replacements.delete(path))
    },
    async takeDown (t) {
      await close()
      t.teardown(() => listen(port))
    }
  }
}

export function pathOf ({ url = '/' }: IncomingMessage): string {
  return new URL(url, 'http://localhost').pathname
}

/** The fields of a query or of a form. */
export async function fieldsOf (request: IncomingMessage): Promise<URLSearchParams> {
  if (request.method === 'GET') return new URL(request.url ?? '/', 'http://localhost').searchParams
  const parts: Buffer[] = []
  for await (const part of request) parts.push(part as Buffer)
  return new URLSearchParams(Buffer.concat(parts).toString())
}

export function sendJson (response: ServerResponse, body: unknown, status = 200): void {
  response.statusCode = status
  response.setHeader('content-type', 'application/json; charset=utf-8')
  response.end(JSON.stringify(body))
}

export function sendTo (response: ServerResponse, location: URL | string): void {
  response.statusCode = 302
  response.setHeader('location', location.toString())
  response.end()
}

/** Buffers a response until it is complete, and sends it changed. */
function holdBack (response: ServerResponse, change: (reply: Reply) => Reply | Promise<Reply>): void {
  const { end } = response
  const parts: Buffer[] = []
  const keep = (part: unknown) => {
    if (typeof part === 'string' || part instanceof Uint8Array) parts.push(Buffer.from(part))
    return true
  }

  async function send (): Promise<void> {
    const { status, headers, body } = await change({ status: response.statusCode, headers: response.getHeaders(), body: Buffer.concat(parts).toString() })
    for (const name of response.getHeaderNames()) response.removeHeader(name)
    response.statusCode = status
    for (const [name, value] of Object.entries(headers)) if (name !== 'content-length' && value !== undefined) response.setHeader(name, value)
    end.call(response, body, 'utf8')
  }

  Object.assign(response, {
    write: keep,
    end (part: unknown) {
      keep(part)
      send().catch((error: unknown) => response.destroy(error as Error))
      return response
    }
  })
}
