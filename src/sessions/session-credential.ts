import type { FastifyRequest } from 'fastify'
import { Problem } from '../errors.ts'
import { AmbiguousCookie, type CookieRole, type Cookies } from '../http/cookies.ts'
import type { RefreshTokens } from './refresh-token.ts'
import { readSessionSecret } from './session-secret.ts'

/**
 * The credential of a session itself: a refresh token, with the channel that it came on, or the secret of a stateful
 * session. An access token is not one, for every service of its audience sees it.
 */
export type SessionCredential =
  | { channel: 'body' | 'cookie', text: string, sessionId: string, nonce: Buffer, generation: number }
  | { channel: 'session', text: string, secretHash: Buffer }

/** Reads the session credentials of a request. A refresh token in the body is the only one, whatever the cookies are. */
export type ReadSessionCredentials = (request: FastifyRequest) => SessionCredential[]

export function createReadSessionCredentials ({ cookies, refreshTokens }: { cookies: Pick<Cookies, 'read'>, refreshTokens: Pick<RefreshTokens, 'read'> }): ReadSessionCredentials {
  return function readSessionCredentials (request) {
    const inBody = refreshTokenIn(request.body)
    const credentials = inBody === undefined
      ? [readToken(readCookie(request, 'refresh'), 'cookie'), readSecret(readCookie(request, 'session'))]
      : [readToken(inBody, 'body')]
    return credentials.filter(credential => credential !== undefined)
  }

  function readToken (text: string | undefined, channel: 'body' | 'cookie'): SessionCredential | undefined {
    try {
      return text === undefined ? undefined : { channel, text, ...refreshTokens.read(text) }
    } catch (error) {
      if (error instanceof Problem) return undefined
      throw error
    }
  }

  function readSecret (text: string | undefined): SessionCredential | undefined {
    const secret = text === undefined ? undefined : readSessionSecret(text)
    return secret && { channel: 'session', text: secret.text, secretHash: secret.hash }
  }

  function readCookie (request: FastifyRequest, role: CookieRole): string | undefined {
    try {
      return cookies.read(request, role)
    } catch (error) {
      if (error instanceof AmbiguousCookie) return undefined
      throw error
    }
  }
}

function refreshTokenIn (body: unknown): string | undefined {
  const { refreshToken } = (typeof body === 'object' && body !== null ? body : {}) as { refreshToken?: unknown }
  return typeof refreshToken === 'string' ? refreshToken : undefined
}
