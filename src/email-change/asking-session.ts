import type { FastifyRequest } from 'fastify'
import { Problem } from '../errors.ts'
import type { Guards } from '../http/guards.ts'
import type { Presence, PresentSession } from '../sessions/presence.ts'

/** The session that asked for a change. */
export type AskingSession = Pick<PresentSession, 'userId' | 'sessionId'>

/** @returns why a request is not of the session; `undefined` where it is */
export type MissSession = (session: AskingSession) => Promise<Problem | undefined>

export type ReadSession = ReturnType<typeof createReadSession>

/** @returns what tells whether a request is of a session: by an access token, a cookie, or the session's own credential */
export function createReadSession ({ guards, presence }: { guards: Pick<Guards, 'findUser'>, presence: Pick<Presence, 'find'> }) {
  return (request: FastifyRequest): MissSession => async session => {
    const refusal = await missUser(request, session)
    return refusal === undefined || await presence.find(request, session) !== undefined ? undefined : refusal
  }

  async function missUser (request: FastifyRequest, { userId, sessionId }: AskingSession): Promise<Problem | undefined> {
    try {
      const user = await guards.findUser(request)
      if (user === undefined) return new Problem('unauthenticated')
      return user.id === userId && user.sessionId === sessionId ? undefined : new Problem('different_session')
    } catch (error) {
      // What failed on our side says nothing about the session.
      if (!(error instanceof Problem) || error.statusCode >= 500) throw error
      return error
    }
  }
}
