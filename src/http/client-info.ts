import type { FastifyRequest } from 'fastify'

/** The client of a request, as sessions and the audit trail record it. */
export interface ClientInfo {
  ip: string
  userAgent: string | null
}

/** The account that changes something, and its client, as the audit trail records them. */
export interface Actor extends ClientInfo {
  actorId: string
}

const USER_AGENT_LENGTH = 512

export function clientInfo ({ ip, headers }: FastifyRequest): ClientInfo {
  return { ip, userAgent: headers['user-agent']?.slice(0, USER_AGENT_LENGTH) ?? null }
}
