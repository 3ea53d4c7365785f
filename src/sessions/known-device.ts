import type { FastifyRequest } from 'fastify'
import { InvalidToken, type Principal } from 'countersign-verifier'
import type { TokenVerifier } from 'countersign-verifier/internal'
import { authorizationOf, bearerToken } from '../http/guards.ts'
import { AmbiguousCookie, type Cookies } from '../http/cookies.ts'
import type { KnownDevice } from '../limits/login-guard.ts'
import type { KnownDeviceCookie } from './known-device-cookie.ts'
import type { AuthenticateSession } from './authenticate-session.ts'

/** @returns the devices that a request shows, each of an account that has logged in from it */
export type FindKnownDevices = (request: FastifyRequest) => Promise<KnownDevice[]>

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
export function createFindKnownDevices ({ cookies, deviceCookie, verifier, authenticateSession }: KnownDeviceDeps): FindKnownDevices {
  function byCookie (request: FastifyRequest): KnownDevice | undefined {
    const cookie = cookies.read(request, 'device')
    return cookie === undefined ? undefined : deviceCookie.read(cookie)
  }

  function byToken (request: FastifyRequest): KnownDevice | undefined {
    const token = bearerToken(authorizationOf(request)) ?? cookies.read(request, 'access')
    return token === undefined ? undefined : toDevice(verifier.verify(token))
  }

  async function bySession (request: FastifyRequest): Promise<KnownDevice | undefined> {
    const session = cookies.read(request, 'session')
    return session === undefined ? undefined : toDevice(await authenticateSession(session))
  }

  // An invalid credential is ignored, for a login is how to replace it.
  async function find (read: (request: FastifyRequest) => KnownDevice | undefined | Promise<KnownDevice | undefined>, request: FastifyRequest): Promise<KnownDevice | undefined> {
    try {
      return await read(request)
    } catch (error) {
      if (error instanceof InvalidToken || error instanceof AmbiguousCookie) return undefined
      throw error
    }
  }

  return async function findKnownDevices (request) {
    const found = await Promise.all([byCookie, byToken, bySession].map(read => find(read, request)))
    return found.filter(device => device !== undefined)
  }
}

function toDevice ({ id, sessionId }: Principal): KnownDevice {
  return { owner: id, device: sessionId }
}
