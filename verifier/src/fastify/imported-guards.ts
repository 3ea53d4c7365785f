import type { FastifyInstance } from 'fastify'
import type { Guards } from '../guard/guards.ts'
import { AccessProblem } from '../guard/problem.ts'
import { answer, type Guard, type GuardedReply, type GuardedRequest } from './guard.ts'

const VERIFIER = Symbol('countersign-verifier.guards')

/** Puts a verifier's guards where an app's own, and those of the scopes in it, find them; the nearest count. */
export function putGuards (app: FastifyInstance, { authenticate, authorize, authorizeClient }: Guards<Guard>): void {
  app.decorate(VERIFIER, { authenticate, authorize, authorizeClient })
}

/**
 * Refuses a request without a user's good token: 401.
 *
 * It finds the verifier when a request comes, in the scope that the route was declared in: so a route may be declared
 * before the verifier is there. Where there is none by then, every request is refused: 500.
 */
export const authenticate: Guard = (request, reply, done) => {
  const guards = guardsOf(request)
  if (guards === undefined) return refuse(request, reply)
  guards.authenticate(request, reply, done)
}

/** The same, and refuses a user who has none of the roles: 403. */
export function authorize (...required: Parameters<Guards<Guard>['authorize']>): Guard {
  return ofEach(guards => guards.authorize(...required))
}

/** Refuses a request without another service's good token (401), or one that lacks a scope (403). */
export function authorizeClient (...scopes: string[]): Guard {
  return ofEach(guards => guards.authorizeClient(...scopes))
}

/** One guard may stand in several apps, each with a verifier of its own. */
function ofEach (make: (guards: Guards<Guard>) => Guard): Guard {
  const made = new WeakMap<Guards<Guard>, Guard>()
  return (request, reply, done) => {
    const guards = guardsOf(request)
    if (guards === undefined) return refuse(request, reply)
    let guard = made.get(guards)
    if (guard === undefined) made.set(guards, guard = make(guards))
    guard(request, reply, done)
  }
}

function guardsOf ({ server }: GuardedRequest): Guards<Guard> | undefined {
  return (server as { [VERIFIER]?: Guards<Guard> })[VERIFIER]
}

function refuse (request: GuardedRequest, reply: GuardedReply): void {
  const cause = new Error('A guard of "countersign-verifier/fastify" stands before this route, but the plugin is not registered in its scope, nor in one around it')
  answer(new AccessProblem('internal_error', { cause }), request, reply)
}
