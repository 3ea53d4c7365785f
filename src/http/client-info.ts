import type { FastifyRequest } from 'fastify'

/** Where a request comes from, as it is kept with sessions and in the audit trail. */
export interface ClientInfo {
  ip: string
  userAgent: string | null
}

const USER_AGENT_LENGTH = 512

export function clientInfo ({ ip, headers }: FastifyRequest): ClientInfo {
  return { ip, userAgent: headers['user-agent']?.slice(0, USER_AGENT_LENGTH) ?? null }
}
