import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import type { Test } from 'tap'
import type { Revocation } from 'countersign-verifier'

/** A connection to the stand-in's feed. */
export interface FeedConnection {
  readonly headers: IncomingMessage['headers']
  /** Sends text as it stands. */
  send (text: string | Buffer): void
  revoke (revocation: Revocation): void
  /** @param ageMs what the service attests to; @param cursor the event's id */
  sync (ageMs?: number, cursor?: string): void
  /** Ends it in an orderly way. */
  end (): void
  /** Cuts it off. */
  cut (): void
  readonly isOpen: boolean
  readonly closed: Promise<unknown>
}

/** What stands in for the service where a test decides what it answers, and how it fails. */
export interface StandIn {
  readonly origin: string
  readonly url: (path: string) => string
  /** The feed's connections so far, oldest first. */
  readonly connections: readonly FeedConnection[]
  /** The next connection to the feed that was not given yet. */
  connected (): Promise<FeedConnection>
  /** Requests so far, by path. */
  readonly asked: Readonly<Record<string, number>>
  /** Answers a path otherwise than it does by itself; `undefined` undoes it. */
  answer (path: string, handler: Handler | undefined): void
  /** What introspection says of tokens. */
  active: boolean
  /** What the JWKS path answers. */
  jwks: unknown
  /** Stops listening and cuts every connection; `start` listens on the same port again. */
  stop (): Promise<void>
  start (): Promise<void>
}

type Handler = (request: IncomingMessage, response: ServerResponse) => void

/** Starts it; it stops when the test ends. */
export async function startStandIn (t: Test): Promise<StandIn> {
  const connections: FeedConnection[] = []
  const asked: Record<string, number> = {}
  const handlers = new Map<string, Handler>()
  const sockets = new Set<Socket>()
  const given = new Set<FeedConnection>()
  let wake = () => {}

  const usual: Record<string, Handler> = {
    '/revocations' (request, response) {
      response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' }).flushHeaders()
      connections.push(toConnection(request, response))
      wake()
    },
    '/oauth/introspect' (request, response) {
      text(request).then(() => json(response, { active: standIn.active }), () => response.destroy())
    },
    '/jwks.json' (_request, response) {
      json(response, standIn.jwks, { 'cache-control': 'max-age=600' })
    }
  }

  const server = createServer((request, response) => {
    const path = request.url ?? '/'
    asked[path] = (asked[path] ?? 0) + 1
    const handler = handlers.get(path) ?? usual[path]
    if (handler === undefined) response.writeHead(404).end()
    else handler(request, response)
  })
  server.on('connection', socket => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
  })

  let port = 0
  const standIn: StandIn = {
    get origin () { return `http://127.0.0.1:${port}` },
    url: path => `http://127.0.0.1:${port}${path}`,
    connections,
    asked,
    active: true,
    jwks: { keys: [] },
    answer (path, handler) {
      if (handler === undefined) handlers.delete(path)
      else handlers.set(path, handler)
    },
    async connected () {
      while (true) {
        const connection = connections.find(connection => !given.has(connection))
        if (connection !== undefined) {
          given.add(connection)
          return connection
        }
        await new Promise<void>(resolve => { wake = resolve })
      }
    },
    async start () {
      server.listen(port, '127.0.0.1')
      await once(server, 'listening')
      port = (server.address() as AddressInfo).port
    },
    async stop () {
      if (!server.listening) return
      server.close()
      for (const socket of sockets) socket.destroy()
      await once(server, 'close')
    }
  }
  t.teardown(() => standIn.stop())
  await standIn.start()
  return standIn
}

export function json (response: ServerResponse, body: unknown, headers: Record<string, string> = {}): void {
  response.writeHead(200, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body))
}

function toConnection ({ headers, socket }: IncomingMessage, response: ServerResponse): FeedConnection {
  return {
    headers,
    send: text => { response.write(text) },
    revoke: revocation => { response.write(`event: revocation\ndata: ${JSON.stringify(revocation)}\n\n`) },
    sync: (ageMs = 0, cursor = 'cursor') => { response.write(`event: sync\nid: ${cursor}\ndata: {"ageMs":${ageMs}}\n\n`) },
    end: () => { response.end() },
    cut: () => { socket.destroy() },
    get isOpen () { return !response.closed },
    closed: once(response, 'close')
  }
}
