import type { FastifyRequest } from 'fastify'
import { InvalidToken } from 'countersign-verifier'
import type { TokenVerifier } from 'countersign-verifier/internal'
import { bearerToken } from '../http/guards.ts'
import { AmbiguousCookie, type Cookies } from '../http/cookies.ts'
import type { KnownDeviceCookie } from './known-device-cookie.ts'
import type { AuthenticateSession } from './authenticate-session.ts'

/** Finds out for which accounts the client that makes a request is known. */
export type KnowsDevice = (request: FastifyRequest) => Promise<(userId: string) => boolean>

export interface KnownDeviceDeps {
  cookies: Cookies
  devices: KnownDeviceCookie
  verifier: TokenVerifier
  recognise: AuthenticateSession
}

/**
 * A client is known for an account by its device cookie, or by a live session of that account's. It is found out before
 * anybody looks for the account: what it takes must not tell whether there is one.
 */
export function createKnowsDevice ({ cookies, devices, verifier, recognise }: KnownDeviceDeps): KnowsDevice {
  function deviceOwner (request: FastifyRequest): string | undefined {
    const cookie = cookies.read(request, 'device')
    return cookie === undefined ? undefined : devices.read(cookie)
  }

  function tokenOwner (request: FastifyRequest): string | undefined {
    const token = bearerToken(request.headers.authorization) ?? cookies.read(request, 'access')
    return token === undefined ? undefined : verifier.verify(token).id
  }

  async function sessionOwner (request: FastifyRequest): Promise<string | undefined> {
    const session = cookies.read(request, 'session')
    return session === undefined ? undefined : (await recognise(session)).id
  }

  // A bad credential proves nothing and hinders nothing: logging in is how one gets a good one.
  async function ask (owner: (request: FastifyRequest) => string | undefined | Promise<string | undefined>, request: FastifyRequest): Promise<string | undefined> {
    try {
      return await owner(request)
    } catch (error) {
      if (error instanceof InvalidToken || error instanceof AmbiguousCookie) return undefined
      throw error
    }
  }

  return async request => {
    const owners = await Promise.all([deviceOwner, tokenOwner, sessionOwner].map(owner => ask(owner, request)))
    return userId => owners.includes(userId)
  }
}
