import type { FastifyRequest } from 'fastify'
import { InvalidToken } from 'countersign-verifier'
import type { TokenVerifier } from 'countersign-verifier/internal'
import { bearerToken } from '../http/guards.ts'
import { AmbiguousCookie, type Cookies } from '../http/cookies.ts'
import type { KnownDeviceCookie } from './known-device-cookie.ts'
import type { AuthenticateSession } from './authenticate-session.ts'

/** Checks the client of a request. @returns a function that tells whether it is a known device of an account */
export type CheckKnownDevice = (request: FastifyRequest) => Promise<(userId: string) => boolean>

export interface KnownDeviceDeps {
  cookies: Cookies
  deviceCookie: KnownDeviceCookie
  verifier: TokenVerifier
  authenticateSession: AuthenticateSession
}

/**
 * A client is a known device of an account by its device cookie, or by a live session of the account. This is looked up
 * before the account is: how long it takes must not tell whether there is one.
 */
export function createCheckKnownDevice ({ cookies, deviceCookie, verifier, authenticateSession }: KnownDeviceDeps): CheckKnownDevice {
  function deviceOwner (request: FastifyRequest): string | undefined {
    const cookie = cookies.read(request, 'device')
    return cookie === undefined ? undefined : deviceCookie.read(cookie)
  }

  function tokenOwner (request: FastifyRequest): string | undefined {
    const token = bearerToken(request.headers.authorization) ?? cookies.read(request, 'access')
    return token === undefined ? undefined : verifier.verify(token).id
  }

  async function sessionOwner (request: FastifyRequest): Promise<string | undefined> {
    const session = cookies.read(request, 'session')
    return session === undefined ? undefined : (await authenticateSession(session)).id
  }

  // An invalid credential is ignored, for a login is how to replace it.
  async function findOwner (read: (request: FastifyRequest) => string | undefined | Promise<string | undefined>, request: FastifyRequest): Promise<string | undefined> {
    try {
      return await read(request)
    } catch (error) {
      if (error instanceof InvalidToken || error instanceof AmbiguousCookie) return undefined
      throw error
    }
  }

  return async function checkKnownDevice (request) {
    const owners = await Promise.all([deviceOwner, tokenOwner, sessionOwner].map(read => findOwner(read, request)))
    return userId => owners.includes(userId)
  }
}
