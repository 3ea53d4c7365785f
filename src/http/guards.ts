import type { FastifyRequest } from 'fastify'
import type { InvalidToken, Principal, TokenCredential } from 'countersign-verifier'
import {
  authorizationOf, bearerToken, createGuardFactory, createIdentify, createRequirement, createToRefusal, passOn,
  type CookieCredential, type Guard, type GuardedReply, type GuardedRequest, type RequestSlot, type UserGuards
} from 'countersign-verifier/internal'
import { Problem } from '../errors.ts'
import { permits, type Permission } from '../permissions.ts'
import { AmbiguousCookie, type Cookies } from './cookies.ts'
import type { CsrfProtection } from './csrf.ts'
import type { IsUnavailable } from './problem-response.ts'

export interface GuardsDeps {
  /** @throws InvalidToken */
  verify (token: string, credential: TokenCredential): Principal
  /** Authenticates a stateful session by its cookie. @throws InvalidToken */
  authenticateSession (cookie: string): Promise<Principal>
  cookies: Cookies
  csrf: CsrfProtection
  users: RequestSlot<Principal>
  /** Called for each refused credential. */
  onRefused (error: InvalidToken): void
  isUnavailable: IsUnavailable
}

/** The guards of the service's own routes. */
export interface Guards extends UserGuards<Guard> {
  /** Refuses a principal whose role does not have the permission: 403. */
  permit (permission: Permission): Guard
  /** The user of a request that may come without credentials. @throws Problem 401 where those that came are no good */
  findUser (request: FastifyRequest): Promise<Principal | undefined>
}

/** The verifier's guards, which also accept the cookie of a stateful session. */
export function createGuards ({ verify, authenticateSession, cookies, csrf, users, onRefused, isUnavailable }: GuardsDeps): Guards {
  const bearer = (token: string) => verify(token, 'bearer')
  const credentials: ReadonlyArray<CookieCredential<Principal>> = [
    { read: request => cookies.read(request, 'access'), identify: token => verify(token, 'cookie') },
    { read: request => cookies.read(request, 'session'), identify: authenticateSession }
  ]
  const toRefusal = createToRefusal(Problem, { onRefused, isUnavailable })
  const identify = createIdentify({ bearer, cookies: credentials, checkCsrf: csrf.checkRequest, Problem })
  const createGuard = createGuardFactory<Principal, GuardedRequest, GuardedReply, Problem>({ identify, slot: users, toRefusal, refuse })

  return {
    authenticate: createGuard(),
    authorize: (...required) => createGuard(createRequirement(required, Problem)),
    permit: permission => createGuard(({ role }) => permits(role, permission) ? undefined : new Problem('forbidden')),
    async findUser (request) {
      try {
        return await identify(request)
      } catch (error) {
        const refusal = toRefusal(error)
        if (refusal.code === 'unauthenticated') return undefined
        throw refusal
      }
    }
  }
}

// A cookie that came twice is cleared, whatever the route: otherwise every request would be refused until it expires.
function refuse (refusal: Problem, request: GuardedRequest, reply: GuardedReply, done: (error: Error) => void): void {
  if (refusal instanceof AmbiguousCookie) refusal.clearing.forEach(cookie => reply.headers({ 'set-cookie': cookie }))
  passOn(refusal, request, reply, done)
}

/** @returns what reads the principal that a guard has authenticated, and throws an Error if no guard ran */
export function createPrincipalReader (users: RequestSlot<Principal>): (request: FastifyRequest) => Principal {
  return request => {
    const principal = users.read(request)
    if (principal === null) throw new Error('This route reads the principal, but no guard ran before it')
    return principal
  }
}

/** @returns the refusal of an access token, whose cause is for the log only */
export function invalidToken (cause: Error): Problem {
  return new Problem('invalid_token', { cause })
}

export { authorizationOf, bearerToken, type Guard }
