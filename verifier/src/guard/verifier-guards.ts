import { createCsrfCheck } from '../csrf.ts'
import type { ClientPrincipal, Principal, Role, StalenessPolicy, TokenCredential, Verifier, VerifyOptions } from '../types.ts'
import type { AccessCookie } from './access-cookie.ts'
import { createGuardFactory, createRequestSlot, createRequirement, type GuardDeps, type UserGuards } from './guard.ts'
import { createIdentify, type CookieCredential, type CredentialRequest } from './identify.ts'
import { AccessProblem, createToRefusal, scopeChallenge } from './problem.ts'
import { namesOtherIssuer } from './other-issuer.ts'
import { cookieValues, hasCookie } from './read-cookie.ts'

/** The guards of a framework. */
export interface Guards<Guard, R extends string = Role> extends UserGuards<Guard, R> {
  /** Refuses a request without another service's valid token (401), or without one of the scopes (403). */
  authorizeClient (...scopes: string[]): Guard
}

/** Guards, and others with another staleness policy. */
export interface PolicyGuards<Guard, R extends string = Role> extends Guards<Guard, R> {
  /**
   * Guards with changes to the verifier's staleness policy.
   *
   * @throws TypeError if the result is not valid, or there is no feed
   */
  with (policy: Partial<StalenessPolicy>): Guards<Guard, R>
}

export type RequestSlots<R extends string = Role> = ReturnType<typeof createRequestSlots<R>>

/** @param property the property of a request that the principal is assigned to */
export function createRequestSlots<R extends string = Role> (property: string) {
  return { users: createRequestSlot<Principal<R>>(property), clients: createRequestSlot<ClientPrincipal>() }
}

export interface VerifierGuardsDeps<R extends string, Request extends CredentialRequest, Reply> {
  verifier: Verifier<R>
  cookie: AccessCookie
  slots: RequestSlots<R>
  refuse: GuardDeps<Principal<R>, Request, Reply, AccessProblem>['refuse']
}

class AmbiguousCookie extends AccessProblem {
  constructor () {
    super('invalid_token')
  }
}

/** @returns what makes the guards of a policy */
export function createVerifierGuards<R extends string, Request extends CredentialRequest, Reply> ({ verifier, cookie, slots, refuse }: VerifierGuardsDeps<R, Request, Reply>) {
  const { name, origins } = cookie
  const Problem = AccessProblem
  const toRefusal = createToRefusal(Problem)

  return function guardsFor (policy: Partial<StalenessPolicy>) {
    const verifyOptions = verifier.policy(policy)
    const sentBy = (credential: TokenCredential): VerifyOptions => Object.freeze({ ...verifyOptions, credential })
    const byBearer = sentBy('bearer')
    const byCookie = sentBy('cookie')
    const verifyUser = (token: string, options: VerifyOptions) => verifier.verifyLocally(token, options) ?? verifier.authenticate(token, options)
    const accessCookie = (name: string): CookieCredential<Principal<R>> => ({
      read: ({ headers: { cookie } }) => cookie === undefined ? undefined : readAccessCookie(cookie, name, verifier.issuer),
      identify: token => verifyUser(token, byCookie)
    })

    const identifyUser = createIdentify({
      bearer: token => verifyUser(token, byBearer),
      ...name !== undefined && { cookies: [accessCookie(name)], checkCsrf: createCsrfCheck({ carriesCredential: carries(name), origins, Problem }) },
      Problem
    })
    const identifyClient = createIdentify({
      bearer: token => verifier.verifyClientLocally(token, byBearer) ?? verifier.authenticateClient(token, byBearer),
      Problem
    })
    const guardUsers = createGuardFactory({ identify: identifyUser, slot: slots.users, toRefusal, refuse })
    const guardClients = createGuardFactory({ identify: identifyClient, slot: slots.clients, toRefusal, refuse })

    return {
      authenticate: guardUsers(),
      authorize: (...required) => guardUsers(createRequirement(required, Problem)),
      authorizeClient: (...scopes) => guardClients(client =>
        scopes.every(scope => client.scopes.includes(scope)) ? undefined : new Problem('insufficient_scope', { headers: scopeChallenge(...scopes) }))
    } satisfies Guards<ReturnType<typeof guardUsers>, R>
  }
}

/**
 * As the service reads it: of several, those that name another issuer are another service's, of the same host or of a domain
 * above; what has the prefix `__Host-` was set by this very host. One alone counts as absent for that only under a bare name.
 *
 * @throws AmbiguousCookie if more than one may be of this issuer
 */
function readAccessCookie (header: string, name: string, issuer: string): string | undefined {
  const values = cookieValues(header, name)
  if (values.length < 2 && name.startsWith('__')) return values[0]
  const own = name.startsWith('__Host-') ? values : values.filter(value => !namesOtherIssuer(value, issuer))
  if (own.length > 1) throw new AmbiguousCookie()
  return own[0]
}

function carries (name: string): (request: CredentialRequest) => boolean {
  const names = [name]
  return ({ headers: { cookie } }) => cookie !== undefined && hasCookie(cookie, names)
}
