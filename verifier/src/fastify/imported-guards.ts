import type { FastifyInstance } from 'fastify'
import type { Requirements } from '../guard/guard.ts'
import { AccessProblem } from '../guard/problem.ts'
import type { Guards } from '../guard/verifier-guards.ts'
import type { Role } from '../types.ts'
import { createImportedGuards } from './create-imported-guards.ts'
import { respond, type Guard } from './guard.ts'

const imported = createImportedGuards<Guards<Guard, string>>('countersign-verifier/fastify', (cause, request, reply) =>
  respond(new AccessProblem('internal_error', { cause }), request, reply))

export function registerGuards (app: FastifyInstance, { authenticate, authorize, authorizeClient }: Guards<Guard, string>): void {
  imported.register(app, { authenticate, authorize, authorizeClient })
}

/**
 * Refuses a request without a user's valid token: 401.
 *
 * It uses the verifier of the scope that the route was declared in, or the nearest one around it. The route may be declared
 * before the plugin is registered; while there is no verifier, every request is refused: 500.
 */
export const authenticate: Guard = imported.authenticate

/**
 * The same, and refuses a user with none of the roles: 403. Roles of your own are the type argument:
 * `authorize<'buyer' | 'seller'>('seller')`.
 */
export function authorize<R extends string = Role> (...required: Requirements<NoInfer<R>>): Guard {
  return imported.authorize(...required)
}

/** Refuses a request without another service's valid token (401), or without one of the scopes (403). */
export function authorizeClient (...scopes: string[]): Guard {
  return imported.oncePerApp(guards => guards.authorizeClient(...scopes))
}
