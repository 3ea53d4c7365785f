import cors from '@fastify/cors'
import type { FastifyInstance } from 'fastify'
import { Problem } from '../../errors.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** `preflight: false` where a route answers OPTIONS itself. */
    cors?: { preflight?: boolean }
  }
}

/** Lets the pages of some origins call the service with cookies, and read what they are told in headers. */
export async function addCors (app: FastifyInstance, origins: readonly string[]): Promise<void> {
  // What is no preflight asks for a method that no route has; @fastify/cors would say so in plain text.
  app.addHook('onRequest', ({ method, headers, routeOptions }, _reply, done) => {
    const isPreflight = headers.origin !== undefined && headers['access-control-request-method'] !== undefined
    const hasRoute = routeOptions.config.cors?.preflight === false
    done(method === 'OPTIONS' && !isPreflight && !hasRoute ? new Problem('not_found') : undefined)
  })
  await app.register(cors, {
    origin: [...origins],
    methods: ['GET', 'HEAD', 'POST', 'PATCH', 'DELETE'],
    credentials: true,
    exposedHeaders: ['retry-after', 'www-authenticate', 'x-request-id'],
    maxAge: 600
  })
}
