import { once } from 'node:events'
import { createServer, request, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'
import type { Test } from 'tap'

/** A whole answer of the service. */
interface ServiceAnswer {
  status: number
  headers: IncomingHttpHeaders
  body: Buffer
}

/** One request at the proxy. */
export interface Exchange {
  response: ServerResponse
  /** Sends the request to the service, each time anew. */
  ask (): Promise<ServiceAnswer>
}

/** What the proxy does with a request, instead of passing it on. */
export type Meddling = (exchange: Exchange) => unknown

export interface HostileProxy {
  origin: string
  /** How many requests have come for a path; CORS preflights do not count, and are never meddled with. */
  requests (path: string): number
  /** Meddles with the next requests for a path, as many as `times`. Those after them are passed on. */
  meddle (path: string, meddling: Meddling, times?: number): void
}

/** A proxy in front of a service that passes on what it gets, but for the requests that a test has it meddle with. */
export async function hostileProxy (t: Test, target: string, { host = '127.0.0.1', port = 0 } = {}): Promise<HostileProxy> {
  const paths = new Map<string, { requests: number, meddlings: Array<{ meddling: Meddling, times: number }> }>()

  function at (path: string) {
    const known = paths.get(path) ?? { requests: 0, meddlings: [] }
    paths.set(path, known)
    return known
  }

  // Each over a connection of its own: one kept from before, the service may be closing at this moment.
  function forward ({ url = '/', method, headers }: IncomingMessage) {
    return request(target + url, { method, headers, agent: false })
  }

  async function exchange (incoming: IncomingMessage, response: ServerResponse, meddling: Meddling) {
    const content = await buffer(incoming)
    async function ask () {
      const [answer] = await once(forward(incoming).end(content), 'response') as [IncomingMessage]
      return { status: answer.statusCode ?? 0, headers: answer.headers, body: await buffer(answer) }
    }
    await meddling({ response, ask })
  }

  /** @returns what is to be done with a request that has come, if anything */
  function count ({ url = '/', method }: IncomingMessage): Meddling | undefined {
    if (method === 'OPTIONS') return
    const path = at(url)
    path.requests++
    const [next] = path.meddlings
    if (next !== undefined && --next.times === 0) path.meddlings.shift()
    return next?.meddling
  }

  const server = createServer((incoming, response) => {
    const meddling = count(incoming)
    if (meddling !== undefined) {
      exchange(incoming, response, meddling).catch(() => response.destroy())
      return
    }
    const onward = forward(incoming)
    onward.on('error', () => response.destroy())
    onward.on('response', answer => {
      response.writeHead(answer.statusCode ?? 0, answer.headers)
      answer.on('error', () => response.destroy()).pipe(response)
    })
    response.on('close', () => onward.destroy())
    incoming.pipe(onward)
  })
  server.listen(port, host)
  await once(server, 'listening')
  t.teardown(() => { server.closeAllConnections(); server.close() })

  return {
    origin: `http://${host}:${(server.address() as AddressInfo).port}`,
    requests: path => at(path).requests,
    meddle: (path, meddling, times = 1) => { at(path).meddlings.push({ meddling, times }) }
  }
}

/** Lets the service do what was asked, and loses the answer. */
export const lose: Meddling = async ({ ask, response }) => {
  await ask()
  response.destroy()
}

/** Lets the service do what was asked, and never answers. */
export const hang: Meddling = ({ ask }) => ask()

/** Sends the request twice, as proxies do that hear nothing of the first, and passes the second answer on. */
export const repeat: Meddling = async ({ ask, response }) => {
  await ask()
  give(response, await ask())
}

/** Cuts the answer's JSON in the middle, with lengths that agree. */
export const truncate: Meddling = async ({ ask, response }) => {
  const { body, headers, status } = await ask()
  const half = body.subarray(0, body.length / 2)
  give(response, { status, headers: { ...headers, 'content-length': String(half.length) }, body: half })
}

/** Answers with a page of its own: the service never hears of the request. */
export function answerPage (status: number, headers: IncomingHttpHeaders = {}): Meddling {
  return ({ response }) => give(response, { status, headers: { 'content-type': 'text/html', ...headers }, body: Buffer.from('<h1>Welcome to the Grand Hotel</h1>') })
}

/** Answers with JSON of its own. */
export function answerJson (status: number, json: unknown, headers: IncomingHttpHeaders = {}): Meddling {
  return ({ response }) => give(response, { status, headers: { 'content-type': 'application/json', ...headers }, body: Buffer.from(JSON.stringify(json)) })
}

/** Holds the service's answer back, or with `before` the request itself. */
export function hold ({ before = false } = {}) {
  let arrive = () => {}
  let release = () => {}
  const reached = new Promise<void>(resolve => { arrive = resolve })
  const released = new Promise<void>(resolve => { release = resolve })
  const meddling: Meddling = async ({ ask, response }) => {
    const answer = before ? undefined : await ask()
    arrive()
    await released
    give(response, answer ?? await ask())
  }
  return { meddling, reached, release }
}

function give (response: ServerResponse, { status, headers, body }: ServiceAnswer): void {
  response.writeHead(status, headers).end(body)
}
