import type { FastifyInstance } from 'fastify'

/**
 * Serializes what the handlers of an instance and its children return, before it is sent: so that a host's `preSerialization`
 * hook, such as one that wraps every answer, neither changes it nor makes its schema fail.
 */
export function serializeOwnPayloads (app: FastifyInstance): void {
  app.addHook('onRoute', route => {
    const { handler } = route
    route.handler = async function (request, reply) {
      const payload: unknown = await handler.call(this, request, reply)
      if (typeof payload !== 'object' || payload === null || payload === reply) return payload
      const serialize = reply.getSerializationFunction(String(reply.statusCode), 'application/json') ?? JSON.stringify
      if (!reply.hasHeader('content-type')) reply.type('application/json; charset=utf-8')
      return serialize(payload as Record<string, unknown>)
    }
  })
}
