/**
 * The verifier as middleware, for express, connect and node:http.
 *
 * @module countersign-verifier/express
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { readGuardOptions, type GuardOptions } from '../guard/guard-options.ts'
import type { AccessProblem } from '../guard/problem.ts'
import { createRequestSlots, createVerifierGuards, type PolicyGuards } from '../guard/verifier-guards.ts'
import type { ClientPrincipal, Principal, Role, Verifier } from '../types.ts'

/** A middleware for Express, Connect, or anything else with Node's own request and response. */
export type Middleware = (request: IncomingMessage, response: ServerResponse, next: (error?: unknown) => void) => void

/** The guards, and the verifier behind them. */
export interface ExpressGuards<R extends string = Role> extends PolicyGuards<Middleware, R>, Pick<Verifier<R>, 'ready' | 'staleness' | 'events' | 'counters'> {
  /** The principal that a guard has authenticated; `null` if no guard ran. */
  principal (request: IncomingMessage): Principal<R> | null
  /** The service that `authorizeClient` has authenticated; `null` if it did not run. */
  client (request: IncomingMessage): ClientPrincipal | null
  /** Closes the verifier, if it was created here. */
  close (): void
}

/** The options of the guards. */
export type ExpressGuardOptions<R extends string = Role> = GuardOptions<R> & {
  /** The property of a request that the principal is assigned to. Default `user`. */
  readonly property?: string
}

/** @throws TypeError whose message begins with the name of the invalid option */
export function createGuards<const R extends string = Role> ({ property = 'user', ...options }: ExpressGuardOptions<R>): ExpressGuards<R> {
  const { verifier, isOwn, cookie, passRefusals } = readGuardOptions<R>(options)
  const slots = createRequestSlots<R>(property)
  const guardsFor = createVerifierGuards({ verifier, cookie, slots, refuse: passRefusals ? passOn : respond })

  return {
    ...guardsFor({}),
    with: guardsFor,
    principal: slots.users.read,
    client: slots.clients.read,
    ready: verifier.ready,
    staleness: verifier.staleness,
    events: verifier.events,
    counters: verifier.counters,
    close () {
      if (isOwn) verifier.close()
    }
  }
}

function passOn (refusal: AccessProblem, _request: unknown, _response: unknown, next: (error: Error) => void): void {
  next(refusal)
}

function respond (refusal: AccessProblem, _request: unknown, response: ServerResponse): void {
  // The app has responded meanwhile, or the client has disconnected.
  if (response.headersSent || response.destroyed) return
  const { headers, body } = refusal.toAnswer()
  response.writeHead(refusal.statusCode, { ...headers, 'content-length': Buffer.byteLength(body) }).end(body)
}

export { AccessProblem, type AccessProblemCode } from '../guard/problem.ts'
export type { Requirements } from '../guard/guard.ts'
export type { Guards, PolicyGuards } from '../guard/verifier-guards.ts'
export type { GuardOptions } from '../guard/guard-options.ts'
