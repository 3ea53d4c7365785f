import type { FastifyReply, FastifyRequest, HookHandlerDoneFunction } from 'fastify'
import { InvalidToken, type Credential, type Principal, type Role } from 'countersign-verifier'
import { Problem } from '../errors.ts'
import { AmbiguousCookie, type Cookies } from './cookies.ts'
import type { SameSiteRule } from './same-site.ts'

/** What finds out who is asking. */
export interface AuthenticationParts {
  /** @throws InvalidToken */
  verify (token: string, credential: Credential): Principal
  cookies: Cookies
  sameSite: SameSiteRule
  /** Hands the principal to the request. */
  assign (request: FastifyRequest, principal: Principal): void
  /** Told of each refused token. */
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
}

const NO_CREDENTIAL = { 'www-authenticate': 'Bearer' }
const INVALID_TOKEN = { 'www-authenticate': 'Bearer error="invalid_token"' }
const INSUFFICIENT_SCOPE = { 'www-authenticate': 'Bearer error="insufficient_scope"' }

/**
 * Makes the guards. The first credential that is present decides, in the order of Bearer header and access cookie; a
 * bad one is refused and never falls through to the next.
 */
export function createGuards ({ verify, cookies, sameSite, assign, onRefused }: AuthenticationParts): Guards {
  function identify (request: FastifyRequest): Principal {
    const { authorization, cookie } = request.headers
    const bearer = bearerToken(authorization)
    if (cookie !== undefined) sameSite.onCarrying(request)
    if (bearer !== undefined) return verify(bearer, 'bearer')
    const access = cookie === undefined ? undefined : cookies.read(request, 'access')
    if (access === undefined) throw new Problem('unauthenticated', { headers: NO_CREDENTIAL })
    return verify(access, 'cookie')
  }

  function refuse (error: unknown, reply: FastifyReply, done: HookHandlerDoneFunction): void {
    const refusal = toRefusal(error)
    // Written here, for on a host's own routes its own error handler answers.
    if (refusal instanceof Problem) reply.headers(refusal.headers)
    done(refusal)
  }

  function toRefusal (error: unknown): Error {
    if (!(error instanceof InvalidToken || error instanceof AmbiguousCookie)) return error as Error
    if (error instanceof InvalidToken) onRefused(error)
    return invalidToken(error)
  }

  const authenticate: Guard = (request, reply, done) => {
    try {
      assign(request, identify(request))
    } catch (error) {
      return refuse(error, reply, done)
    }
    done()
  }

  return {
    authenticate,
    authorize: (...roles) => (request, reply, done) => {
      try {
        const principal = identify(request)
        assign(request, principal)
        if (!roles.includes(principal.role)) throw new Problem('forbidden', { headers: INSUFFICIENT_SCOPE })
      } catch (error) {
        return refuse(error, reply, done)
      }
      done()
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
