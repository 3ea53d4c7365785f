import type { Socket } from 'node:net'
import type { FastifyInstance } from 'fastify'
import { REQUEST_TIMEOUT } from '../limits.ts'

const SWEEP_EVERY = 50

/**
 * Closes connections that nobody uses while the server stops. Node closes those alone that are idle at the moment it is
 * told to. One that was answering then would hold the process up for its keep-alive time, and one on which nothing was
 * ever asked, as browsers and load balancers open them ahead, for longer still.
 *
 * What has begun gets the time that a request has; a connection on which a request stalls would get for ever, for a server
 * that stops no longer looks for late ones.
 */
export function closeIdleConnectionsOnShutdown (app: FastifyInstance): void {
  const connections = new Set<Socket>()
  app.server.on('connection', (socket: Socket) => {
    connections.add(socket)
    socket.once('close', () => connections.delete(socket))
  })

  function sweep (): void {
    app.server.closeIdleConnections()
    for (const socket of connections) if (socket.bytesRead === 0) socket.destroy()
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
