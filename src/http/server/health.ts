import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { isError } from '../../config/error-code.ts'
import { jsonResponse, problemResponses, PUBLIC, RETRY_AFTER } from '../openapi/openapi-responses.ts'

/** Checks one dependency; rejects when it is unavailable. An error may have a `state` that says more. */
export type Probe = () => Promise<void>

export interface HealthOptions {
  /** The dependencies of the service, by name. */
  probes: Readonly<Record<string, Probe>>
  /** Whether tokens can be judged by what is known here. */
  isFresh: () => boolean
  /** Aborted when the service begins to stop. */
  stopping: AbortSignal
}

const Live = Type.Object({ status: Type.Literal('ok') })
const State = Type.Enum(['ok', 'down', 'read_only', 'stale'], { type: 'string' })
const Ready = Type.Object({
  status: Type.Enum(['ok', 'degraded', 'unavailable', 'stopping'], { type: 'string', description: '`degraded`: ready, though a dependency is not available.' }),
  checks: Type.Record(Type.String(), State, { description: 'The state of each dependency, by name. `read_only`: it answers, and takes no writes.' })
})

/**
 * `/health/live`: the process is up. `/health/ready`: requests may be sent here. A dependency that all instances share does
 * not make them unready, for then there would be none left that verifies tokens.
 */
export const healthRoutes: FastifyPluginAsyncTypebox<HealthOptions> = async (app, { probes, isFresh, stopping }) => {
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
      summary: 'Check whether requests may be sent here',
      description: 'Lost dependencies are named, and leave the service ready as long as it can verify tokens: until the ledger of revocations is older than `REVOCATION_MAX_STALENESS`.',
      security: PUBLIC,
      response: {
        200: jsonResponse(Ready, { description: 'Requests may be sent here.', example: { status: 'ok', checks: { database: 'ok', revocations: 'ok' } } }),
        503: jsonResponse(Ready, { description: 'The service is stopping, or can no longer verify tokens.', example: { status: 'unavailable', checks: { database: 'down', revocations: 'stale' } }, headers: RETRY_AFTER }),
        ...problemResponses('headers_too_large')
      }
    }
  }, async (request, reply) => {
    reply.header('cache-control', 'no-store')
    if (stopping.aborted) return reply.code(503).header('retry-after', '2').send({ status: 'stopping', checks: {} })
    const states = await Promise.all(Object.entries(probes).map(async ([name, probe]) => {
      try {
        await probe()
        return [name, 'ok'] as const
      } catch (error) {
        request.log.error({ err: error, dependency: name }, 'dependency unavailable')
        return [name, stateOf(error)] as const
      }
    }))
    const checks = { ...Object.fromEntries(states), revocations: isFresh() ? 'ok' as const : 'stale' as const }
    if (checks.revocations === 'stale') return reply.code(503).header('retry-after', '2').send({ status: 'unavailable', checks })
    return { status: states.every(([, state]) => state === 'ok') ? 'ok' as const : 'degraded' as const, checks }
  })
}

function stateOf (error: unknown): 'down' | 'read_only' {
  return isError(error) && 'state' in error && error.state === 'read_only' ? 'read_only' : 'down'
}
