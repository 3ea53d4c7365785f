import type { FastifyInstance } from 'fastify'
import { createImportedGuards, type Guard, type UserGuards } from 'countersign-verifier/internal'
import { Problem } from '../errors.ts'

/** The guards for a host's routes. */
export type CountersignGuards = UserGuards<Guard>

const imported = createImportedGuards<CountersignGuards>('countersign', (cause, { log }, _reply, done) => {
  log.error({ err: cause }, 'guard refused a request: plugin not registered')
  done(new Problem('internal_error', { cause }))
})

export function registerGuards (app: FastifyInstance, { authenticate, authorize }: CountersignGuards): void {
  imported.register(app, { authenticate, authorize })
}

/**
 * Refuses a request without a valid credential: 401.
 *
 * It uses the service of the scope that the route was declared in, or the nearest one around it. The route may be declared
 * before the plugin is registered; while there is no service, every request is refused: 500.
 */
export const authenticate: Guard = imported.authenticate

/** The same, and refuses a user with none of the roles: 403. */
export const authorize: CountersignGuards['authorize'] = imported.authorize
