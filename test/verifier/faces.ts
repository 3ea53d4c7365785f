import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo, Server } from 'node:net'
import express from 'express'
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import type { Test } from 'tap'
import type { StalenessPolicy } from 'countersign-verifier'
import { createGuards, type ExpressGuards, type GuardOptions } from 'countersign-verifier/express'
import countersignVerifier from 'countersign-verifier/fastify'

/** An answer of a guarded service. */
export interface FaceAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  /** What JSON it holds. */
  readonly body: Readonly<Record<string, unknown>>
}

/** A service with guarded routes: `/mine` for users, `/admin` for admins, `/service` for clients with a scope, `/other` under another policy. */
export interface GuardedService {
  readonly origin: string
  /** @param target method and path */
  call (target: string, headers?: Readonly<Record<string, string>>): Promise<FaceAnswer>
}

/** How a guarded service is made. */
export interface FaceOptions {
  /** The policy of `/other`. */
  readonly other?: Partial<StalenessPolicy>
}

type StartFace = (t: Test, options: GuardOptions, more?: FaceOptions) => Promise<GuardedService>

export const SCOPES = ['orders:read', 'orders:write'] as const

/** Every face of the verifier; all do the same. */
export const faces: Readonly<Record<string, StartFace>> = {
  async fastify (t, options, { other = {} } = {}) {
    const app: FastifyInstance = Fastify()
    t.teardown(() => app.close())
    await app.register(countersignVerifier, options)
    const { verifier } = app
    const who = (request: FastifyRequest, reply: FastifyReply) => reply.send(verifier.principal(request) ?? verifier.client(request))
    const method = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'] as const
    app.route({ method: [...method], url: '/mine', onRequest: app.authenticate, handler: who })
    app.route({ method: [...method], url: '/admin', onRequest: app.authorize('admin'), handler: who })
    app.route({ method: [...method], url: '/service', onRequest: verifier.authorizeClient(...SCOPES), handler: who })
    app.route({ method: [...method], url: '/other', onRequest: verifier.with(other).authenticate, handler: who })
    await app.listen({ host: '127.0.0.1', port: 0 })
    return callsTo(app.server)
  },

  async express (t, options, { other = {} } = {}) {
    const guards = guardsOf(t, options)
    const app = express()
    const who = (request: IncomingMessage, response: express.Response) => { response.json(guards.principal(request) ?? guards.client(request)) }
    app.all('/mine', guards.authenticate, who)
    app.all('/admin', guards.authorize('admin'), who)
    app.all('/service', guards.authorizeClient(...SCOPES), who)
    app.all('/other', guards.with(other).authenticate, who)
    return serve(t, createServer(app))
  },

  async 'node:http' (t, options, { other = {} } = {}) {
    const guards = guardsOf(t, options)
    const routes: Readonly<Record<string, ExpressGuards['authenticate']>> = {
      '/mine': guards.authenticate,
      '/admin': guards.authorize('admin'),
      '/service': guards.authorizeClient(...SCOPES),
      '/other': guards.with(other).authenticate
    }
    return serve(t, createServer((request, response) => {
      routes[String(request.url).split('?')[0] ?? '']?.(request, response, error => {
        if (error !== undefined) answer(response, 500, { passed: String(error) })
        else answer(response, 200, guards.principal(request) ?? guards.client(request))
      })
    }))
  }
}

function guardsOf (t: Test, options: GuardOptions): ExpressGuards {
  const guards = createGuards(options)
  t.teardown(guards.close)
  return guards
}

function answer (response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}

async function serve (t: Test, server: ReturnType<typeof createServer>): Promise<GuardedService> {
  t.teardown(() => {
    server.close()
    server.closeAllConnections()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return callsTo(server)
}

function callsTo (server: Server): GuardedService {
  const { port } = server.address() as AddressInfo
  const origin = `http://127.0.0.1:${port}`
  return {
    origin,
    async call (target, headers = {}) {
      const [method = 'GET', path = '/'] = target.split(' ')
      const response = await fetch(origin + path, { method, headers, redirect: 'manual' })
      const text = await response.text()
      return { status: response.status, headers: Object.fromEntries(response.headers), body: text === '' ? {} : JSON.parse(text) as Record<string, unknown> }
    }
  }
}
