import type { FastifyBaseLogger, FastifyRequest, HookHandlerDoneFunction } from 'fastify'
import { InvalidToken, type Principal, type Role, type TokenCredential } from 'countersign-verifier'
import { bearerToken } from 'countersign-verifier/internal'
import { Problem } from '../errors.ts'
import { permits, type Permission } from '../permissions.ts'
import type { Cookies } from './cookies.ts'
import type { CsrfProtection } from './csrf.ts'

/** What finds out who is asking. */
export interface GuardsDeps {
  /** @throws InvalidToken */
  verify (token: string, credential: TokenCredential): Principal
  /** Recognises a stateful session by its cookie. @throws InvalidToken */
  recognise (cookie: string): Promise<Principal>
  cookies: Cookies
  crossSite: CsrfProtection
  /** Hands the principal to the request. */
  assign (request: object, principal: Principal): void
  /** Tells which failures of the outside mean "try again later". */
  isUnavailable (error: unknown): boolean
  /** Told of each refused credential. */
  onRefused (error: InvalidToken): void
}

/** What a guard looks at: the like of it has every request, over HTTP/1 and HTTP/2. */
export interface GuardedRequest extends Pick<FastifyRequest, 'method' | 'headers'> {
  readonly server: object
  readonly log: FastifyBaseLogger
}

/** What a guard writes to. */
export interface GuardedReply {
  headers (values: Readonly<Record<string, string>>): unknown
}

/** A Fastify hook that lets a request pass or refuses it; put it in `onRequest`. */
export type Guard = (request: GuardedRequest, reply: GuardedReply, done: HookHandlerDoneFunction) => void

/** The guards that routes are given. */
export interface Guards {
  /** Refuses a request without a good credential (401). */
  authenticate: Guard
  /** The same, and refuses a principal that has none of the roles (403). */
  authorize (...roles: [Role, ...Role[]]): Guard
  /** The same, and refuses a principal whose role does not permit this (403). */
  permit (permission: Permission): Guard
  /** Whom the Bearer token speaks of, if there is one; rejects with its refusal. */
  byBearer (request: FastifyRequest): Array<Promise<Principal>>
  /** Whom each of the cookies speaks of, however many there are; each rejects with its refusal. */
  byCookie (request: FastifyRequest): Array<Promise<Principal>>
}

const INSUFFICIENT_SCOPE = { 'www-authenticate': 'Bearer error="insufficient_scope"' }

/**
 * Makes the guards. The first credential that is present decides, in the order of Bearer header, access cookie and
 * session cookie; a bad one is refused and never falls through to the next.
 *
 * Tokens are decided without a promise: that path is taken by nearly every request.
 */
export function createGuards ({ verify, recognise, cookies, crossSite, assign, onRefused, isUnavailable }: GuardsDeps): Guards {
  function identify (request: GuardedRequest): Principal | Promise<Principal> {
    const { authorization, cookie } = request.headers
    const bearer = bearerToken(authorization)
    if (cookie !== undefined) crossSite.checkRequest(request)
    if (bearer !== undefined) return verify(bearer, 'bearer')
    const [first] = byCookie(request)
    if (first === undefined) throw new Problem('unauthenticated')
    return first()
  }

  /** The cookies that identify, in the order in which they decide. */
  function * byCookie (request: GuardedRequest): Generator<() => Principal | Promise<Principal>> {
    const access = cookies.read(request, 'access')
    if (access !== undefined) yield () => verify(access, 'cookie')
    const session = cookies.read(request, 'session')
    if (session !== undefined) yield () => recognise(session)
  }

  function toRefusal (error: unknown): Error {
    if (error instanceof Problem) return error
    if (error instanceof InvalidToken) {
      onRefused(error)
      return invalidToken(error)
    }
    // On a host's own route its error handler answers: nothing of the cause may be in what it is given.
    return new Problem(isUnavailable(error) ? 'unavailable' : 'internal_error', { cause: error })
  }

  async function settle (identify: () => Principal | Promise<Principal>): Promise<Principal> {
    try {
      return await identify()
    } catch (error) {
      throw toRefusal(error)
    }
  }

  function refuse (refusal: Error, reply: GuardedReply, done: HookHandlerDoneFunction): void {
    // Written here, for on a host's own routes its own error handler answers.
    if (refusal instanceof Problem) reply.headers(refusal.headers)
    done(refusal)
  }

  function guard (isPermitted: (principal: Principal) => boolean): Guard {
    function admit (request: GuardedRequest, principal: Principal, reply: GuardedReply, done: HookHandlerDoneFunction): void {
      if (!isPermitted(principal)) return refuse(new Problem('forbidden', { headers: INSUFFICIENT_SCOPE }), reply, done)
      assign(request, principal)
      done()
    }

    return (request, reply, done) => {
      let identified
      try {
        identified = identify(request)
      } catch (error) {
        return refuse(toRefusal(error), reply, done)
      }
      if (!(identified instanceof Promise)) return admit(request, identified, reply, done)
      identified.then(principal => admit(request, principal, reply, done), error => refuse(toRefusal(error), reply, done))
    }
  }

  return {
    authenticate: guard(() => true),
    authorize: (...roles) => guard(({ role }) => roles.includes(role)),
    permit: permission => guard(({ role }) => permits(role, permission)),
    byBearer (request) {
      const bearer = bearerToken(request.headers.authorization)
      return bearer === undefined ? [] : [settle(() => verify(bearer, 'bearer'))]
    },
    byCookie: request => [...byCookie(request)].map(settle)
  }
}

/** The answer to a token that was refused; why it was is for the log alone. */
export function invalidToken (cause: Error): Problem {
  return new Problem('invalid_token', { cause })
}

export { bearerToken }
