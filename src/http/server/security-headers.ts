import type { FastifyInstance } from 'fastify'
import helmet from 'helmet'

/**
 * Sends helmet's headers with every response to a request that could be read. Made once: @fastify/helmet puts their text together for
 * each request.
 *
 * @param publicUrl the service's own, by whose scheme browsers are told to come by https alone
 */
export function addSecurityHeaders (app: FastifyInstance, publicUrl: string): void {
  const setHeaders = helmet({
    contentSecurityPolicy: { useDefaults: false, directives: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] } },
    strictTransportSecurity: publicUrl.startsWith('https:')
  })
  app.addHook('onRequest', ({ raw }, reply, done) => {
    setHeaders(raw, reply.raw, done as (error?: unknown) => void)
  })
}
