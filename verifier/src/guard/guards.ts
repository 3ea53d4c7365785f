import type { ClientPrincipal, Principal, Role, StalenessPolicy } from '../types.ts'
import type { Identify, CredentialRequest } from './identify.ts'
import { createRequestSlot, type RequestSlot } from './request-slot.ts'
import { AccessProblem, toProblem } from './problem.ts'

/** The guards of a framework, each of which lets a request pass or refuses it. */
export interface Guards<Guard> {
  /** Refuses a request without a user's good token: 401. */
  authenticate: Guard
  /** The same, and refuses a user who has none of the roles: 403. */
  authorize (...roles: [Role, ...Role[]]): Guard
  /** Refuses a request without another service's good token (401), or one that lacks a scope (403). */
  authorizeClient (...scopes: string[]): Guard
}

/** Guards, and others under another policy. */
export interface PolicyGuards<Guard> extends Guards<Guard> {
  /**
   * Guards that know another bound of staleness, or do something else beyond it.
   *
   * @throws TypeError where no feed is followed, or the policy is none
   */
  with (policy: Partial<StalenessPolicy>): Guards<Guard>
}

/** What decides about one request: tells, once, nothing or why not. */
export type Decide<Request> = (request: Request, tell: (refusal?: AccessProblem) => void) => void

/** Whom the guards of one app found. */
export interface Found {
  readonly users: RequestSlot<Principal>
  readonly clients: RequestSlot<ClientPrincipal>
}

/** @param property of the request, that the principal is assigned to */
export function createFound (property: string): Found {
  return { users: createRequestSlot(property), clients: createRequestSlot() }
}

/**
 * Makes the guards of a framework.
 *
 * @param toGuard makes the framework's guard of what decides
 */
export function createGuards<Request extends CredentialRequest, Guard> (gate: Identify, { users, clients }: Found, toGuard: (decide: Decide<Request>) => Guard): Guards<Guard> {
  function guard<Who> (identify: (request: Request) => Who | Promise<Who>, place: RequestSlot<Who>, judge: (who: Who) => AccessProblem | undefined): Guard {
    return toGuard((request, tell) => {
      function admit (who: Who): void {
        const refusal = judge(who)
        if (refusal === undefined) place.write(request, who)
        tell(refusal)
      }

      // No promise where none is needed: nearly every request is decided at once.
      let who
      try {
        who = identify(request)
      } catch (error) {
        return tell(toProblem(error))
      }
      if (!(who instanceof Promise)) return admit(who)
      who.then(admit, (error: unknown) => tell(toProblem(error)))
    })
  }

  return {
    authenticate: guard(gate.identify, users, () => undefined),
    authorize: (...roles) => guard(gate.identify, users, ({ role }) => roles.includes(role) ? undefined : new AccessProblem('forbidden')),
    authorizeClient: (...scopes) => guard(gate.identifyClient, clients, client =>
      scopes.every(scope => client.scopes.includes(scope)) ? undefined : insufficientScope(scopes))
  }
}

function insufficientScope (scopes: readonly string[]): AccessProblem {
  return new AccessProblem('insufficient_scope', { headers: { 'www-authenticate': `Bearer error="insufficient_scope", scope="${scopes.join(' ')}"` } })
}
