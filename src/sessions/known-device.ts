import type { FastifyRequest } from 'fastify'
import { InvalidToken } from 'countersign-verifier'
import type { TokenVerifier } from 'countersign-verifier/core'
import { bearerToken } from '../http/authenticate.ts'
import { AmbiguousCookie, type Cookies } from '../http/cookies.ts'
import type { DeviceCookies } from './device-cookie.ts'

/** Whether an account has logged in before from the client that makes a request. */
export type KnowsDevice = (request: FastifyRequest) => (userId: string) => boolean

/** A client is known for an account by its device cookie, or by a live session of that account's. */
export function createKnowsDevice ({ cookies, devices, verifier }: { cookies: Cookies, devices: DeviceCookies, verifier: TokenVerifier }): KnowsDevice {
  function deviceOwner (request: FastifyRequest): string | undefined {
    const cookie = cookies.read(request, 'device')
    return cookie === undefined ? undefined : devices.read(cookie)
  }

  function sessionOwner (request: FastifyRequest): string | undefined {
    const token = bearerToken(request.headers.authorization) ?? cookies.read(request, 'access')
    return token === undefined ? undefined : verifier.verify(token).id
  }

  // A bad credential proves nothing and hinders nothing: logging in is how one gets a good one.
  function ask (owner: (request: FastifyRequest) => string | undefined, request: FastifyRequest): string | undefined {
    try {
      return owner(request)
    } catch (error) {
      if (error instanceof InvalidToken || error instanceof AmbiguousCookie) return undefined
      throw error
    }
  }

  return request => userId => ask(deviceOwner, request) === userId || ask(sessionOwner, request) === userId
}
