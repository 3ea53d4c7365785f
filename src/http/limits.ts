import type { FastifyInstance } from 'fastify'

/** Bytes of a body. The largest useful one is a fraction of this. */
export const MAX_BODY_BYTES = 16 * 1024

/** Bytes of all headers of a request together. */
export const MAX_HEADER_BYTES = 8 * 1024

/** Milliseconds for a request to arrive, body included; and for requests in progress to finish when the server stops. */
export const REQUEST_TIMEOUT = 10_000

/** Limits the bodies of an instance's routes, whatever the host allows. */
export function limitBodies (app: FastifyInstance): void {
  app.addHook('onRoute', route => { route.bodyLimit = MAX_BODY_BYTES })
}
