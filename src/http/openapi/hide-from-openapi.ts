import type { FastifyInstance } from 'fastify'

/**
 * Keeps an instance's routes out of the host's own OpenAPI document: they refer to security schemes that the host does not
 * declare, and its transformations expect its own schemas.
 */
export function hideFromOpenApi (app: FastifyInstance): void {
  app.addHook('onRoute', route => { route.schema = { ...route.schema, hide: true } })
}
