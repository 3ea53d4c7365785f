import type { FastifyInstance } from 'fastify'

/** Bytes of a body: the largest that the API has a use for is a fraction of this. */
export const MAX_BODY_BYTES = 16 * 1024

/** Bytes of all headers of a request. */
export const MAX_HEADER_BYTES = 8 * 1024

/** Milliseconds that a request may take to arrive, its body and all; and that a stopping server waits for what it has begun. */
export const REQUEST_TIMEOUT = 10_000

/** Bounds the bodies of an instance's routes, whatever its host allows. */
export function limitBodies (app: FastifyInstance): void {
  app.addHook('onRoute', route => { route.bodyLimit = MAX_BODY_BYTES })
}
