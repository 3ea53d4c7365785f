import type { FastifyRequest } from 'fastify'
import { InvalidToken } from 'countersign-verifier'
import { Problem } from '../errors.ts'
import { AmbiguousCookie, type CookieRole, type Cookies } from '../http/cookies.ts'
import { authorizationOf, bearerToken, invalidToken } from '../http/guards.ts'
import type { SessionName } from './end-session-store.ts'
import type { RefreshTokens } from './refresh-token.ts'
import { readSessionSecret } from './session-secret.ts'

/** What a request for logout shows. */
export interface LogoutCredentials {
  /** The sessions that its credentials name, live or not. */
  sessions: SessionName[]
  /** Why a token in the header or the body names none: it was never issued. */
  refusals: Problem[]
  /** The refusal of an access token that somebody else forged with the shared secret, wherever it came. */
  forgery: Problem | undefined
  /** Whether it came with cookies, of whatever kind: a browser cannot get rid of them itself. */
  hasCookies: boolean
}

export type ReadLogoutCredentials = (request: FastifyRequest) => LogoutCredentials

export interface LogoutCredentialsDeps {
  cookies: Pick<Cookies, 'read' | 'carriesAny'>
  refreshTokens: Pick<RefreshTokens, 'read'>
  /** @returns the session of an access token, also of one that has expired or was revoked. @throws InvalidToken */
  sessionOf (accessToken: string): string
  /** Called for each refused access token. */
  onRefused (error: InvalidToken): void
}

/**
 * Reads every credential of a request for logout. Each of them names its session by itself: an access token by its signature
 * and seal, a refresh token by its MAC, a cookie of a stateful session by its secret. One that has expired, or is from before a
 * new password, still does: whoever shows it wants the session to end.
 */
export function createReadLogoutCredentials ({ cookies, refreshTokens, sessionOf, onRefused }: LogoutCredentialsDeps): ReadLogoutCredentials {
  return function readLogoutCredentials (request) {
    const bearer = bearerToken(authorizationOf(request))
    const inBody = (request.body as { refreshToken?: string } | null)?.refreshToken
    const byHand = [
      ...bearer === undefined ? [] : [byAccessToken(bearer)],
      ...inBody === undefined ? [] : [byRefreshToken(inBody)]
    ]
    const inCookies = [byCookie(request, 'access', byAccessToken), byCookie(request, 'refresh', byRefreshToken), byCookie(request, 'session', bySecret)]
    const found = [...byHand, ...inCookies]
    return {
      sessions: found.flatMap(result => result === undefined || result instanceof Problem ? [] : [result]),
      refusals: byHand.filter(result => result instanceof Problem),
      forgery: found.find((result): result is Problem => result instanceof Problem && result.cause instanceof InvalidToken && result.cause.reason === 'forged'),
      hasCookies: cookies.carriesAny(request)
    }
  }

  function byAccessToken (token: string): SessionName | Problem {
    try {
      return { sessionId: sessionOf(token) }
    } catch (error) {
      if (!(error instanceof InvalidToken)) throw error
      onRefused(error)
      return invalidToken(error)
    }
  }

  function byRefreshToken (token: string): SessionName | Problem {
    try {
      return refreshTokens.read(token)
    } catch (error) {
      if (error instanceof Problem) return error
      throw error
    }
  }

  function bySecret (cookie: string): SessionName | undefined {
    const secret = readSessionSecret(cookie)
    return secret && { secretHash: secret.hash }
  }

  // A cookie that came twice names nobody, and is cleared.
  function byCookie (request: FastifyRequest, role: CookieRole, read: (value: string) => SessionName | Problem | undefined): SessionName | Problem | undefined {
    try {
      const value = cookies.read(request, role)
      return value === undefined ? undefined : read(value)
    } catch (error) {
      if (error instanceof AmbiguousCookie) return undefined
      throw error
    }
  }
}
