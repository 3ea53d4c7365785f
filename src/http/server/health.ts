import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { jsonResponse, problemResponses, PUBLIC, RETRY_AFTER } from '../openapi/openapi-responses.ts'

/** Asks one dependency whether it answers; rejects where it does not. */
export type Probe = () => Promise<void>

/** What the health routes take: the dependencies without which the service cannot do its work, by name. */
export interface HealthOptions {
  probes: Readonly<Record<string, Probe>>
}

const Live = Type.Object({ status: Type.Literal('ok') })
const Ready = Type.Object({
  status: Type.Enum(['ok', 'unavailable'], { type: 'string' }),
  checks: Type.Record(Type.String(), Type.Enum(['ok', 'unavailable'], { type: 'string' }), { description: 'Each dependency by name' })
})

/** `/health/live`: the process answers. `/health/ready`: so does everything that it needs. */
export const healthRoutes: FastifyPluginAsyncTypebox<HealthOptions> = async (app, { probes }) => {
  app.get('/health/live', {
    schema: {
      operationId: 'getLiveness',
      tags: ['Operations'],
      summary: 'Whether the process answers',
      security: PUBLIC,
      response: { 200: jsonResponse(Live, { description: 'It does', example: { status: 'ok' } }), ...problemResponses('headers_too_large') }
    }
  }, (_request, reply) => {
    reply.header('cache-control', 'no-store').send({ status: 'ok' })
  })

  app.get('/health/ready', {
    schema: {
      operationId: 'getReadiness',
      tags: ['Operations'],
      summary: 'Whether everything that the service needs answers',
      security: PUBLIC,
      response: {
        200: jsonResponse(Ready, { description: 'It does', example: { status: 'ok', checks: { database: 'ok' } } }),
        503: jsonResponse(Ready, { description: 'Something does not', example: { status: 'unavailable', checks: { database: 'unavailable' } }, headers: RETRY_AFTER }),
        ...problemResponses('headers_too_large')
      }
    }
  }, async (request, reply) => {
    const checks = Object.fromEntries(await Promise.all(Object.entries(probes).map(async ([name, probe]) => {
      try {
        await probe()
        return [name, 'ok'] as const
      } catch (error) {
        request.log.error({ err: error, dependency: name }, 'a dependency does not answer')
        return [name, 'unavailable'] as const
      }
    })))
    const status: 'ok' | 'unavailable' = Object.values(checks).includes('unavailable') ? 'unavailable' : 'ok'
    reply.header('cache-control', 'no-store')
    if (status === 'unavailable') reply.code(503).header('retry-after', '2')
    return { status, checks }
  })
}
