import type { FastifyInstance } from 'fastify'

/**
 * Keeps an instance's routes out of the OpenAPI document that a host may make of its own: they name security schemes
 * that it does not have, and its transformations expect its own kind of schemas.
 */
export function hideFromOpenApi (app: FastifyInstance): void {
  app.addHook('onRoute', route => { route.schema = { ...route.schema, hide: true } })
}
