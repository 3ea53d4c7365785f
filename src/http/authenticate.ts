import type { FastifyReply, FastifyRequest, HookHandlerDoneFunction } from 'fastify'
import { InvalidToken, type Principal, type Role, type TokenCredential } from 'countersign-verifier'
import { Problem } from '../errors.ts'
import type { Cookies } from './cookies.ts'
import type { SameSiteRule } from './same-site.ts'

/** What finds out who is asking. */
export interface AuthenticationParts {
  /** @throws InvalidToken */
  verify (token: string, credential: TokenCredential): Principal
  /** Recognises a stateful session by its cookie. @throws InvalidToken */
  recognise (cookie: string): Promise<Principal>
  cookies: Cookies
  sameSite: SameSiteRule
  /** Hands the principal to the request. */
  assign (request: FastifyRequest, principal: Principal): void
  /** Told of each refused credential. */
  onRefused (error: InvalidToken): void
}

/** A Fastify hook that lets a request pass or refuses it; put it in `onRequest`. */
export type Guard = (request: FastifyRequest, reply: FastifyReply, done: HookHandlerDoneFunction) => void

/** The guards that routes are given. */
export interface Guards {
  /** Refuses a request without a good credential (401). */
  authenticate: Guard
  /** The same, and refuses a principal that has none of the roles (403). */
  authorize (...roles: [Role, ...Role[]]): Guard
  /** Finds out who is asking, for a handler that decides by itself. @throws Problem 401, 403 */
  identify (request: FastifyRequest): Promise<Principal>
}

const NO_CREDENTIAL = { 'www-authenticate': 'Bearer' }
const INVALID_TOKEN = { 'www-authenticate': 'Bearer error="invalid_token"' }
const INSUFFICIENT_SCOPE = { 'www-authenticate': 'Bearer error="insufficient_scope"' }

/**
 * Makes the guards. The first credential that is present decides, in the order of Bearer header, access cookie and
 * session cookie; a bad one is refused and never falls through to the next.
 *
 * Tokens are decided without a promise: that path is taken by nearly every request.
 */
export function createGuards ({ verify, recognise, cookies, sameSite, assign, onRefused }: AuthenticationParts): Guards {
  function identify (request: FastifyRequest): Principal | Promise<Principal> {
    const { authorization, cookie } = request.headers
    const bearer = bearerToken(authorization)
    if (cookie !== undefined) sameSite.onCarrying(request)
    if (bearer !== undefined) return verify(bearer, 'bearer')
    const access = cookies.read(request, 'access')
    if (access !== undefined) return verify(access, 'cookie')
    const session = cookies.read(request, 'session')
    if (session !== undefined) return recognise(session)
    throw new Problem('unauthenticated', { headers: NO_CREDENTIAL })
  }

  function toRefusal (error: unknown): Error {
    if (!(error instanceof InvalidToken)) return error instanceof Error ? error : new Problem('internal_error', { cause: error })
    onRefused(error)
    return invalidToken(error)
  }

  function refuse (refusal: Error, reply: FastifyReply, done: HookHandlerDoneFunction): void {
    // Written here, for on a host's own routes its own error handler answers.
    if (refusal instanceof Problem) reply.headers(refusal.headers)
    done(refusal)
  }

  function guard (isPermitted: (principal: Principal) => boolean): Guard {
    function admit (request: FastifyRequest, principal: Principal, reply: FastifyReply, done: HookHandlerDoneFunction): void {
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
    async identify (request) {
      try {
        return await identify(request)
      } catch (error) {
        throw toRefusal(error)
      }
    }
  }
}

/** The answer to a token that was refused; why it was is for the log alone. */
export function invalidToken (cause: Error): Problem {
  return new Problem('invalid_token', { headers: INVALID_TOKEN, cause })
}

/** The token of an Authorization header (RFC 6750 §2.1), `undefined` where there is none or its scheme is another. */
export function bearerToken (authorization: string | undefined): string | undefined {
  if (authorization === undefined) return undefined
  if (authorization.startsWith('Bearer ')) return authorization.slice(7)
  return /^bearer( |$)/i.test(authorization) ? authorization.slice(7) : undefined
}
