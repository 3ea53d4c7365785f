import type { FastifyInstance } from 'fastify'

const SWEEP_EVERY = 50

/**
 * Closes connections that fall idle while the server stops. Node closes only those that are idle when it is told to;
 * a connection that was answering then would hold the process up for the whole of its keep-alive time.
 */
export function closeIdleWhileStopping (app: FastifyInstance): void {
  app.addHook('preClose', done => {
    if (app.server.listening) {
      const sweep = setInterval(() => app.server.closeIdleConnections(), SWEEP_EVERY)
      app.server.once('close', () => clearInterval(sweep))
    }
    done()
  })
}
