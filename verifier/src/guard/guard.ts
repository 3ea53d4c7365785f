import type { Principal, Role } from '../types.ts'
import type { CredentialRequest, Identify } from './identify.ts'
import type { ProblemClass } from './problem.ts'

/** What `authorize` takes: the roles of which a user must have one. */
export type Requirements<R extends string = Role> = [R, ...R[]]

/** The guards for users. */
export interface UserGuards<Guard, R extends string = Role> {
  /** Refuses a request without a valid credential: 401. */
  authenticate: Guard
  /** The same, and refuses a user with none of the roles: 403. */
  authorize (...required: Requirements<R>): Guard
}

/** Decides whether someone who has authenticated may pass. @returns the refusal if not */
export type Requirement<Who, Refusal extends Error> = (who: Who) => Refusal | undefined

/** Where a request keeps who a guard authenticated. */
export type RequestSlot<Who> = ReturnType<typeof createRequestSlot<Who>>

type Done = (error?: Error) => void

export interface GuardDeps<Who, Request extends CredentialRequest, Reply, Refusal extends Error> {
  identify: Identify<Who>
  slot: RequestSlot<Who>
  toRefusal (error: unknown): Refusal
  /** Ends a request that was refused. */
  refuse (refusal: Refusal, request: Request, reply: Reply, done: Done): void
}

/** @returns what makes a guard: a hook with Fastify's or Express's three arguments, by default for everyone who authenticates */
export function createGuardFactory<Who, Request extends CredentialRequest, Reply, Refusal extends Error> ({ identify, slot, toRefusal, refuse }: GuardDeps<Who, Request, Reply, Refusal>) {
  return function createGuard (requirement: Requirement<Who, Refusal> = () => undefined): (request: Request, reply: Reply, done: Done) => void {
    function admit (who: Who, request: Request, reply: Reply, done: Done): void {
      const refusal = requirement(who)
      if (refusal !== undefined) return refuse(refusal, request, reply, done)
      slot.write(request, who)
      done()
    }

    return (request, reply, done) => {
      // A guard that is called without it, and awaited, would return before it has decided.
      if (typeof done !== 'function') throw new TypeError('A guard is a hook: pass it to the route, do not call it')
      let who
      try {
        who = identify(request)
      } catch (error) {
        return refuse(toRefusal(error), request, reply, done)
      }
      if (!isPromise(who)) return admit(who, request, reply, done)
      who.then(who => admit(who, request, reply, done), (error: unknown) => refuse(toRefusal(error), request, reply, done))
    }
  }
}

// Not by its class: a test runner that gives each file a global object of its own has several.
function isPromise<T> (value: T | Promise<T>): value is Promise<T> {
  return typeof (value as Partial<Promise<T>> | null)?.then === 'function'
}

/** @throws TypeError for what no user's role can be among, as where `authorize` itself is used as a hook */
export function assertRoles (roles: readonly unknown[]): void {
  if (roles.length === 0 || !roles.every(role => typeof role === 'string')) throw new TypeError("authorize needs one role or more, for example authorize('admin')")
}

/** @returns the requirement that `authorize` names */
export function createRequirement<R extends string, Refusal extends Error> (roles: Requirements<R>, Problem: ProblemClass<Refusal>): Requirement<Principal<R>, Refusal> {
  assertRoles(roles)
  return ({ role }) => roles.includes(role) ? undefined : new Problem('forbidden')
}

/**
 * The slot is a symbol, so that it is empty until a guard fills it, and also a property if one is named. The property is
 * assigned and never declared as a decorator: another plugin, such as @fastify/jwt, may declare it before this one or
 * after, and what that plugin assigns is no principal.
 */
export function createRequestSlot<Who> (property?: string) {
  const own = Symbol('countersign')
  type Carrier = { [own]?: Who, [name: string]: unknown }

  return {
    read: (request: object): Who | null => (request as Carrier)[own] ?? null,
    write (request: object, who: Who): void {
      const carrier = request as Carrier
      carrier[own] = who
      if (property !== undefined) carrier[property] = who
    }
  }
}
