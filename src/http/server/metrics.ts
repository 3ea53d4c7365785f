import { Type } from 'typebox'
import { collectDefaultMetrics, Counter, Gauge, Registry, prometheusContentType } from 'prom-client'
import type { FastifyInstance } from 'fastify'
import type { TokenFailure } from 'countersign-verifier'
import { problemResponses, PUBLIC } from '../openapi/openapi-responses.ts'

/** What the service counts, in Prometheus' text format. */
export interface Metrics {
  /** `forged` is the one to alert on: somebody else holds `JWT_SECRET`. */
  tokenRefused (reason: TokenFailure): void
  /** Reports a number that is read when it is asked for. */
  gauge (name: string, help: string, read: () => number): void
  /** Reports a number that only grows, and is read when it is asked for. */
  counter (name: string, help: string, read: () => number): void
  /** Reports the process too: its CPU time, memory, event loop and garbage collection. For whoever the process belongs to. */
  collectProcess (): void
  /** Everything, as text. */
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
      registry.registerMetric(new Gauge({ name, help, registers: [], collect () { this.set(read()) } }))
    },
    counter (name, help, read) {
      registry.registerMetric(new Counter({ name, help, registers: [], collect () { this.reset(); this.inc(read()) } }))
    },
    collectProcess: () => collectDefaultMetrics({ register: registry }),
    expose: () => registry.metrics()
  }
}

/** Serves `GET /metrics`. */
export function addMetricsRoute (app: FastifyInstance, metrics: Metrics): void {
  app.get('/metrics', {
    schema: {
      operationId: 'getMetrics',
      tags: ['Operations'],
      summary: 'What the service counts',
      security: PUBLIC,
      response: {
        200: {
          description: 'Prometheus\' text format',
          content: { 'text/plain': { schema: Type.String(), example: 'countersign_tokens_refused_total{reason="forged"} 0\n' } }
        },
        ...problemResponses('headers_too_large')
      }
    }
  }, async (_request, reply) => reply.type(prometheusContentType).send(await metrics.expose()))
}
