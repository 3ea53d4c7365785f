/**
 * The verifier as middleware, for express, connect and node:http.
 *
 * @module countersign-verifier/express
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createIdentify } from '../guard/identify.ts'
import { readGuardOptions, type GuardOptions } from '../guard/guard-options.ts'
import { createFound, createGuards as createGuardsFor, type Decide, type PolicyGuards } from '../guard/guards.ts'
import type { ClientPrincipal, Principal, StalenessPolicy, Verifier } from '../types.ts'

/** A middleware for express, connect, or whatever calls it with node's own request and response. */
export type Middleware = (request: IncomingMessage, response: ServerResponse, next: (error?: unknown) => void) => void

/** The guards, and the verifier behind them. */
export interface ExpressGuards extends PolicyGuards<Middleware>, Pick<Verifier, 'ready' | 'staleness' | 'events' | 'counters'> {
  /** The principal that a guard found; `null` on a request that none has seen. */
  principal (request: IncomingMessage): Principal | null
  /** The other service that `authorizeClient` found; `null` on a request that it has not seen. */
  client (request: IncomingMessage): ClientPrincipal | null
  /** Lets go of the service, where the verifier was made here. */
  close (): void
}

/** What the guards take. */
export type ExpressGuardOptions = GuardOptions & {
  /** The property of a request that the principal is assigned to. Default `user`. */
  readonly property?: string
}

/** @throws TypeError that begins with the name of the option that is not good */
export function createGuards ({ property = 'user', ...options }: ExpressGuardOptions): ExpressGuards {
  const { verifier, isOwn, cookie, passRefusals } = readGuardOptions(options)
  const found = createFound(property)
  const guardsFor = (policy: Partial<StalenessPolicy>) => createGuardsFor(createIdentify(verifier, cookie, policy), found, toMiddleware(passRefusals))

  return {
    ...guardsFor({}),
    with: guardsFor,
    principal: found.users.read,
    client: found.clients.read,
    ready: verifier.ready,
    staleness: verifier.staleness,
    events: verifier.events,
    counters: verifier.counters,
    close () {
      if (isOwn) verifier.close()
    }
  }
}

function toMiddleware (passRefusals: boolean): (decide: Decide<IncomingMessage>) => Middleware {
  return decide => (request, response, next) => decide(request, refusal => {
    if (refusal === undefined) return next()
    if (passRefusals) return next(refusal)
    // Somebody else has answered meanwhile, or nobody waits any more.
    if (response.headersSent || response.destroyed) return
    const { headers, body } = refusal.toAnswer()
    response.writeHead(refusal.statusCode, { ...headers, 'content-length': Buffer.byteLength(body) }).end(body)
  })
}

export { AccessProblem, type AccessProblemCode } from '../guard/problem.ts'
export type { Guards, PolicyGuards } from '../guard/guards.ts'
export type { GuardOptions } from '../guard/guard-options.ts'
