import type { FastifyRequest } from 'fastify'
import { InvalidToken } from 'countersign-verifier'
import type { TokenVerifier } from 'countersign-verifier/core'
import { bearerToken } from '../http/authenticate.ts'
import { AmbiguousCookie, type Cookies } from '../http/cookies.ts'
import type { DeviceCookies } from './device-cookie.ts'
import type { RecogniseSession } from './recognise-session.ts'

/** Finds out for which accounts the client that makes a request is known. */
export type KnowsDevice = (request: FastifyRequest) => Promise<(userId: string) => boolean>

/** What knowing a device takes. */
export interface KnownDeviceParts {
  cookies: Cookies
  devices: DeviceCookies
  verifier: TokenVerifier
  recognise: RecogniseSession
}

/**
 * A client is known for an account by its device cookie, or by a live session of that account's. It is found out before
 * anybody looks for the account: what it takes must not tell whether there is one.
 */
export function createKnowsDevice ({ cookies, devices, verifier, recognise }: KnownDeviceParts): KnowsDevice {
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
