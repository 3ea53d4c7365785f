import type { FastifyRequest } from 'fastify'
import { clientAddress } from './client-address.ts'
import { clientNetwork } from './client-network.ts'

/** The client of a request, as sessions and the audit trail record it. */
export interface ClientInfo {
  /** An IP address; `null` where there is none, as behind a Unix socket. */
  ip: string | null
  userAgent: string | null
  /** What limits count it under; `null` where that is not known. It is not recorded. */
  network?: string | null
}

/** The account that changes something, and its client, as the audit trail records them. */
export interface Actor extends ClientInfo {
  actorId: string
}

const USER_AGENT_LENGTH = 512
const UNPRINTABLE = /[\p{Cc}\p{Surrogate}]/gu

export function clientInfo (request: FastifyRequest): ClientInfo {
  const userAgent = request.headers['user-agent']?.slice(0, USER_AGENT_LENGTH).replace(UNPRINTABLE, '') ?? null
  return { ip: clientAddress(request), userAgent, network: clientNetwork(request) }
}
