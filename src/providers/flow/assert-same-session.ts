import type { FastifyRequest } from 'fastify'
import { Problem } from '../../errors.ts'
import type { Guards } from '../../http/guards.ts'
import { AmbiguousCookie, type Cookies } from '../../http/cookies.ts'
import type { RefreshTokens } from '../../sessions/refresh-token.ts'
import type { LinkingSession } from '../identities/identity-store.ts'

/** Refuses a browser that does not carry the session any more which it began in. @throws Problem 403 `different_session` */
export type AssertSameSession = (request: FastifyRequest, session: LinkingSession) => Promise<void>

export interface AssertSameSessionDeps {
  guards: Pick<Guards, 'byBearer' | 'byCookie'>
  cookies: Pick<Cookies, 'read'>
  refreshTokens: Pick<RefreshTokens, 'read'>
}

/**
 * Else somebody could have their own identity linked to whoever is logged in when they come back. An access cookie may
 * lapse while its owner is away, so the session's refresh cookie counts as well; whether the session still lives is asked
 * when the identity is linked.
 */
export function createAssertSameSession ({ guards, cookies, refreshTokens }: AssertSameSessionDeps): AssertSameSession {
  return async function assertSameSession (request, session) {
    try {
      if (refreshedSession(request) === session.sessionId || await isIdentifiedBy(request, session)) return
    } catch (error) {
      if (!(error instanceof AmbiguousCookie)) throw error
    }
    throw new Problem('different_session')
  }

  async function isIdentifiedBy (request: FastifyRequest, { userId, sessionId }: LinkingSession): Promise<boolean> {
    const carried = await Promise.allSettled([...guards.byBearer(request), ...guards.byCookie(request)])
    return carried.some(result => result.status === 'fulfilled' && result.value.id === userId && result.value.sessionId === sessionId)
  }

  function refreshedSession (request: FastifyRequest): string | undefined {
    const token = cookies.read(request, 'refresh')
    try {
      return token === undefined ? undefined : refreshTokens.read(token).sessionId
    } catch (error) {
      if (error instanceof Problem) return undefined
      throw error
    }
  }
}
