import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { jsonResponse, problemResponses, PUBLIC, RETRY_AFTER } from '../openapi/openapi-responses.ts'

/** Checks one dependency; rejects when it is unavailable. */
export type Probe = () => Promise<void>

export interface HealthOptions {
  /** The dependencies that the service cannot work without, by name. */
  probes: Readonly<Record<string, Probe>>
}

const Live = Type.Object({ status: Type.Literal('ok') })
const Ready = Type.Object({
  status: Type.Enum(['ok', 'unavailable'], { type: 'string' }),
  checks: Type.Record(Type.String(), Type.Enum(['ok', 'unavailable'], { type: 'string' }), { description: 'The state of each dependency, by name' })
})

/** `/health/live`: the process is up. `/health/ready`: so are its dependencies. */
export const healthRoutes: FastifyPluginAsyncTypebox<HealthOptions> = async (app, { probes }) => {
  app.get('/health/live', {
    schema: {
      operationId: 'getLiveness',
      tags: ['Operations'],
      summary: 'Check that the process is up',
      security: PUBLIC,
      response: { 200: jsonResponse(Live, { description: 'The process is up.', example: { status: 'ok' } }), ...problemResponses('headers_too_large') }
    }
  }, (_request, reply) => {
    reply.header('cache-control', 'no-store').send({ status: 'ok' })
  })

  app.get('/health/ready', {
    schema: {
      operationId: 'getReadiness',
      tags: ['Operations'],
      summary: 'Check that every dependency is available',
      security: PUBLIC,
      response: {
        200: jsonResponse(Ready, { description: 'Every dependency is available.', example: { status: 'ok', checks: { database: 'ok' } } }),
        503: jsonResponse(Ready, { description: 'At least one dependency is unavailable.', example: { status: 'unavailable', checks: { database: 'unavailable' } }, headers: RETRY_AFTER }),
        ...problemResponses('headers_too_large')
      }
    }
  }, async (request, reply) => {
    const checks = Object.fromEntries(await Promise.all(Object.entries(probes).map(async ([name, probe]) => {
      try {
        await probe()
        return [name, 'ok'] as const
      } catch (error) {
        request.log.error({ err: error, dependency: name }, 'dependency unavailable')
        return [name, 'unavailable'] as const
      }
    })))
    const status: 'ok' | 'unavailable' = Object.values(checks).includes('unavailable') ? 'unavailable' : 'ok'
    reply.header('cache-control', 'no-store')
    if (status === 'unavailable') reply.code(503).header('retry-after', '2')
    return { status, checks }
  })
}
