import type { FastifyReply, FastifyRequest } from 'fastify'
import type { RateRule } from '../config/rate-limits.ts'
import { clientNetwork } from '../http/client-network.ts'
import type { AttemptLimiter, ReportLimits } from './attempt-limiter.ts'

/** @returns what sets the headers of a limit on a response */
export function reportTo (reply: FastifyReply): ReportLimits {
  return headers => { reply.headers(headers) }
}

/** @returns the counts of an attempt by whoever is behind a network; none where it is not known */
export function byNetwork (rule: RateRule, network: string | null | undefined) {
  return { rule, by: network === null || network === undefined ? undefined : [network] }
}

/** @returns a `preHandler` that limits a route by the network of its client. What fails on our side does not count. */
export function limitByNetwork ({ reserve }: AttemptLimiter, rule: RateRule) {
  return async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    const reservation = await reserve([byNetwork(rule, clientNetwork(request))], reportTo(reply))
    reply.raw.once('finish', () => {
      // It never rejects.
      if (reply.statusCode >= 500) void reservation.giveBack()
    })
  }
}
