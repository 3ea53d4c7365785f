import type { FastifyRequest } from 'fastify'
import type { Principal } from 'countersign-verifier'
import { Problem } from '../errors.ts'
import { clientInfo, type Actor } from '../http/client-info.ts'

/** @returns who a request of an admin is by, for the audit trail */
export type ActorOf = (request: FastifyRequest) => Actor

export function createActorOf (principal: (request: FastifyRequest) => Principal): ActorOf {
  return request => ({ actorId: principal(request).id, ...clientInfo(request) })
}

/** @throws Problem `not_found` */
export function assertFound<T> (found: T | null | undefined): T {
  if (found === null || found === undefined) throw new Problem('not_found')
  return found
}
