import type { FastifyRequest } from 'fastify'
import type { Principal } from 'countersign-verifier'
import { isSafeMethod } from 'countersign-verifier/internal'
import { Problem } from '../errors.ts'
import type { CredentialStore } from './credential-store.ts'
import type { ReadSessionCredentials, SessionCredential } from './session-credential.ts'

/** How long ago a login may be that shows presence, in seconds. */
export const PRESENCE_MAX_AGE = 300

/** A session, and the credential of its own that came with a request. */
export interface PresentSession {
  userId: string
  sessionId: string
  credential: SessionCredential
  /** Seconds since its owner last authenticated. */
  authenticatedAgo: number
}

/**
 * Whether it is the owner of an account who asks. An access token does not show that: every service of the audience gets
 * to see it. The session's own credential does, as long as it is the present one and its owner authenticated lately.
 */
export interface Presence {
  /** The session of a request that carries its own credential, however long ago its owner authenticated. */
  find (request: FastifyRequest, session: Pick<PresentSession, 'userId' | 'sessionId'>): Promise<PresentSession | undefined>
  /** @throws Problem 401 `insufficient_user_authentication`; nothing that was shown ends a session */
  assert (request: FastifyRequest): Promise<PresentSession>
  /** Asks for presence, as a `preHandler` behind a guard. */
  require (request: FastifyRequest): Promise<void>
  /** The same for requests that change something. */
  requireToWrite (request: FastifyRequest): Promise<void>
}

export interface PresenceDeps {
  credentials: CredentialStore
  readCredentials: ReadSessionCredentials
  principal: (request: FastifyRequest) => Principal
}

export function createPresence ({ credentials, readCredentials, principal }: PresenceDeps): Presence {
  async function find (request: FastifyRequest, { userId, sessionId }: Pick<PresentSession, 'userId' | 'sessionId'>): Promise<PresentSession | undefined> {
    for (const credential of readCredentials(request)) {
      const held = await credentials.find(credential)
      if (held?.sessionId === sessionId && held.userId === userId) return { userId, sessionId, credential, authenticatedAgo: held.authenticatedAgo }
    }
    return undefined
  }

  async function assert (request: FastifyRequest): Promise<PresentSession> {
    const { id: userId, sessionId } = principal(request)
    const present = await find(request, { userId, sessionId })
    if (present === undefined || present.authenticatedAgo > PRESENCE_MAX_AGE) throw new Problem('insufficient_user_authentication', { maxAge: PRESENCE_MAX_AGE })
    return present
  }

  async function require (request: FastifyRequest): Promise<void> {
    await assert(request)
  }

  return {
    find,
    assert,
    require,
    async requireToWrite (request) {
      if (!isSafeMethod(request.method)) await require(request)
    }
  }
}
