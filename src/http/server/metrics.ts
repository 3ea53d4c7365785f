import { createHash, timingSafeEqual } from 'node:crypto'
import { Type } from 'typebox'
import { collectDefaultMetrics, Counter, Gauge, Registry, prometheusContentType } from 'prom-client'
import type { FastifyInstance } from 'fastify'
import type { TokenFailure } from 'countersign-verifier'
import type { Access } from '../../config/parsers.ts'
import { Problem } from '../../errors.ts'
import { authorizationOf, bearerToken } from '../guards.ts'
import { problemResponses, PUBLIC } from '../openapi/openapi-responses.ts'

/** The metrics of the service, for Prometheus. */
export interface Metrics {
  /** Alert on `forged`: it means that `JWT_SECRET` has leaked. */
  tokenRefused (reason: TokenFailure): void
  /** Adds a number that is read at each scrape. */
  gauge (name: string, help: string, read: () => number | Promise<number>): void
  /** Adds a number that only grows, and is read at each scrape. */
  counter (name: string, help: string, read: () => number): void
  /** Adds CPU time, memory, event loop and garbage collection of the process: for the owner of the process to call. */
  collectProcess (): void
  /** @returns all metrics in Prometheus' text format */
  expose (): Promise<string>
}

export function createMetrics (): Metrics {
  const registry = new Registry<typeof prometheusContentType>()
  registry.setContentType(prometheusContentType)
  const refused = new Counter({
    name: 'countersign_tokens_refused_total',
    help: 'Access tokens refused, by reason',
    labelNames: ['reason'],
    registers: [registry]
  })
  refused.inc({ reason: 'forged' }, 0)

  return {
    tokenRefused: reason => refused.inc({ reason }),
    gauge (name, help, read) {
      registry.registerMetric(new Gauge({ name, help, registers: [], async collect () { this.set(await read()) } }))
    },
    counter (name, help, read) {
      registry.registerMetric(new Counter({ name, help, registers: [], collect () { this.reset(); this.inc(read()) } }))
    },
    collectProcess: () => collectDefaultMetrics({ register: registry }),
    expose: () => registry.metrics()
  }
}

/** Serves `GET /metrics`, unless nobody may read it. A token is checked here; it stands for no user. */
export function addMetricsRoute (app: FastifyInstance, metrics: Metrics, access: Access): void {
  if (access === 'off') return
  const isAllowed = access === 'open' ? () => true : createTokenCheck(access.token)
  app.get('/metrics', {
    onRequest (request, _reply, done) {
      done(isAllowed(authorizationOf(request)) ? undefined : new Problem('unauthenticated'))
    },
    schema: {
      // The document describes tokens of users and clients.
      hide: access !== 'open',
      operationId: 'getMetrics',
      tags: ['Operations'],
      summary: 'Get the metrics of the service',
      security: PUBLIC,
      response: {
        200: {
          description: 'The metrics in Prometheus\' text format.',
          content: { 'text/plain': { schema: Type.String(), example: 'countersign_tokens_refused_total{reason="forged"} 0\n' } }
        },
        ...problemResponses('headers_too_large')
      }
    }
  }, async (_request, reply) => reply.type(prometheusContentType).send(await metrics.expose()))
}

// Of digests, so that neither the time nor the length tells anything.
function createTokenCheck (token: string): (authorization: string | undefined) => boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest()
  const expected = digest(token)
  return authorization => {
    const given = bearerToken(authorization)
    return given !== undefined && timingSafeEqual(digest(given), expected)
  }
}
