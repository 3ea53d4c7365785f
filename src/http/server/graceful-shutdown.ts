import type { Socket } from 'node:net'
import type { FastifyInstance } from 'fastify'
import { REQUEST_TIMEOUT } from '../limits.ts'

const SWEEP_EVERY = 50
// The first request of a connection that was just opened is on its way.
const UNUSED_FOR = 1_000

/**
 * Ends every connection with its next response, from when the service begins to stop: whoever keeps connections, as proxies
 * do, then has none left on which a request could meet the end.
 */
export function closeConnectionsWhileStopping (app: FastifyInstance, stopping: AbortSignal): void {
  app.addHook('onRequest', (_request, reply, done) => {
    if (stopping.aborted) reply.header('connection', 'close')
    done()
  })
}

/**
 * Closes idle connections for as long as the server is stopping. Node closes only those that are idle when it starts to stop:
 * a connection with a response in progress would then delay the end by its keep-alive time, and an unused one, which
 * browsers and load balancers open in advance, by even more.
 *
 * Requests in progress get the time that any request has. After that every connection is closed, because Node no longer
 * checks for stalled requests on a server that is stopping.
 */
export function closeIdleConnectionsOnShutdown (app: FastifyInstance): void {
  const connections = new Map<Socket, number>()
  app.server.on('connection', (socket: Socket) => {
    connections.set(socket, performance.now())
    socket.once('close', () => connections.delete(socket))
  })

  function sweep (): void {
    app.server.closeIdleConnections()
    const newest = performance.now() - UNUSED_FOR
    for (const [socket, openedAt] of connections) if (socket.bytesRead === 0 && openedAt < newest) socket.destroy()
  }

  app.addHook('preClose', done => {
    if (app.server.listening) {
      const sweeping = setInterval(sweep, SWEEP_EVERY)
      const givingUp = setTimeout(() => app.server.closeAllConnections(), REQUEST_TIMEOUT)
      app.server.once('close', () => {
        clearInterval(sweeping)
        clearTimeout(givingUp)
      })
    }
    done()
  })
}
