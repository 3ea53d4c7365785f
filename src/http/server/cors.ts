import cors from '@fastify/cors'
import type { FastifyInstance } from 'fastify'
import { Problem } from '../../errors.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** `preflight: false` where a route answers OPTIONS itself. */
    cors?: { preflight?: boolean }
  }
}

/** Allows pages of some origins to call the service with cookies, and to read the response headers they need. */
export async function addCors (app: FastifyInstance, origins: readonly string[]): Promise<void> {
  // An OPTIONS request that is no preflight has no route, as a rule. @fastify/cors would answer it in plain text.
  app.addHook('onRequest', ({ method, headers, routeOptions }, _reply, done) => {
    const isPreflight = headers.origin !== undefined && headers['access-control-request-method'] !== undefined
    const hasRoute = routeOptions.config.cors?.preflight === false
    done(method === 'OPTIONS' && !isPreflight && !hasRoute ? new Problem('not_found') : undefined)
  })
  await app.register(cors, {
    origin: [...origins],
    methods: ['GET', 'HEAD', 'POST', 'PATCH', 'DELETE'],
    credentials: true,
    exposedHeaders: ['ratelimit', 'ratelimit-policy', 'retry-after', 'www-authenticate', 'x-request-id'],
    maxAge: 600
  })
}
