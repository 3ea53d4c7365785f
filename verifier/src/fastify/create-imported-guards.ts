import type { FastifyInstance } from 'fastify'
import { assertRoles, type Requirements, type UserGuards } from '../guard/guard.ts'
import type { Guard, GuardedReply, GuardedRequest } from './guard.ts'

/** Refuses a request of a scope without the plugin. */
export type RefuseUnregistered = (cause: Error, request: GuardedRequest, reply: GuardedReply, done: Parameters<Guard>[2]) => void

/**
 * Makes guards that can be imported: they find the guards of the plugin when a request comes, in the scope that the route was
 * declared in or the nearest one around it. So a route may be declared before the plugin is registered; while it is not, every
 * request is refused.
 *
 * @param entry the entry of the package that the guards are imported from
 */
export function createImportedGuards<Found extends UserGuards<Guard, string>> (entry: string, refuse: RefuseUnregistered) {
  const key = Symbol(`${entry}.guards`)

  function importedGuard (guardOf: (guards: Found) => Guard): Guard {
    return (request, reply, done) => {
      const guards = (request.server as { [key]?: Found })[key]
      if (guards === undefined) {
        const cause = new Error(`A guard of "${entry}" is used by this route, but the plugin is not registered in its scope, nor in one around it`)
        return refuse(cause, request, reply, done)
      }
      guardOf(guards)(request, reply, done)
    }
  }

  /** An imported guard that takes arguments. One may be used in several apps, each with guards of its own. */
  function oncePerApp (createGuard: (guards: Found) => Guard): Guard {
    const created = new WeakMap<Found, Guard>()
    return importedGuard(guards => {
      let guard = created.get(guards)
      if (guard === undefined) created.set(guards, guard = createGuard(guards))
      return guard
    })
  }

  return {
    /** Registers the guards of an app and the scopes in it. */
    register (app: FastifyInstance, guards: Found): void {
      app.decorate<UserGuards<Guard, string>>(key, guards)
    },
    oncePerApp,
    authenticate: importedGuard(guards => guards.authenticate),
    authorize (...required: Requirements<string>): Guard {
      assertRoles(required)
      return oncePerApp(guards => guards.authorize(...required))
    }
  }
}
