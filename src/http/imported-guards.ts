import type { FastifyInstance } from 'fastify'
import { Problem } from '../errors.ts'
import type { Guard, GuardedRequest, Guards } from './guards.ts'

/** The guards of a host's routes. */
export type CountersignGuards = Pick<Guards, 'authenticate' | 'authorize'>

const SERVICE = Symbol('countersign.guards')

/** Puts a service where the guards of an app, and of the scopes in it, find it; the nearest counts. */
export function putGuards (app: FastifyInstance, guards: CountersignGuards): void {
  app.decorate(SERVICE, guards)
}

/**
 * Refuses a request without a good credential: 401.
 *
 * It finds the service when a request comes, in the scope that the route was declared in: so a route may be declared
 * before the service is there. Where there is none by then, every request is refused: 500.
 */
export const authenticate: Guard = (request, reply, done) => {
  const service = serviceOf(request)
  if (service === undefined) return refuse(request, done)
  service.authenticate(request, reply, done)
}

/** The same, and refuses a user who has none of the roles: 403. */
export function authorize (...required: Parameters<CountersignGuards['authorize']>): Guard {
  // One guard may stand in several apps, each with a service of its own.
  const guards = new WeakMap<CountersignGuards, Guard>()
  return (request, reply, done) => {
    const service = serviceOf(request)
    if (service === undefined) return refuse(request, done)
    let guard = guards.get(service)
    if (guard === undefined) guards.set(service, guard = service.authorize(...required))
    guard(request, reply, done)
  }
}

function serviceOf ({ server }: GuardedRequest): CountersignGuards | undefined {
  return (server as { [SERVICE]?: CountersignGuards })[SERVICE]
}

function refuse ({ log }: GuardedRequest, done: Parameters<Guard>[2]): void {
  const cause = new Error('A guard of "countersign" stands before this route, but the plugin is not registered in its scope, nor in one around it')
  log.error({ err: cause }, 'a guarded route has no service')
  done(new Problem('internal_error', { cause }))
}
