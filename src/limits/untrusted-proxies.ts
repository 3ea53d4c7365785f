import type { FastifyInstance } from 'fastify'
import { peerAddress } from '../http/client-address.ts'
import { isBehindUntrustedProxy } from '../http/client-network.ts'
import type { Metrics } from '../http/server/metrics.ts'

/**
 * Counts requests with a forwarded header from a private address or a Unix socket that is not trusted, and warns once: the service is behind a
 * proxy that `TRUST_PROXY` does not name. Limits by network are off for these requests, for all clients would count as one.
 */
export function watchUntrustedProxies (app: FastifyInstance, metrics: Pick<Metrics, 'counter'>): void {
  let count = 0
  metrics.counter('countersign_untrusted_forwarded_requests_total', 'Requests through a proxy that TRUST_PROXY does not name, which are not limited by network', () => count)

  app.addHook('onRequest', (request, _reply, done) => {
    if (isBehindUntrustedProxy(request)) {
      if (count++ === 0) request.log.warn({ peer: peerAddress(request) }, 'a forwarded header came from a private address or a Unix socket that TRUST_PROXY does not name: such requests are not limited by network')
    }
    done()
  })
}
