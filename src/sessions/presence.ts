import type { FastifyRequest } from 'fastify'
import type { Principal } from 'countersign-verifier'
import { isSafeMethod } from 'countersign-verifier/internal'
import { Problem } from '../errors.ts'
import type { SessionCredentialStore } from './session-credential-store.ts'
import type { ReadSessionCredentials, SessionCredential } from './session-credential.ts'

/** How long ago the last authentication may be, in seconds. */
const MAX_AGE = 300

/** The session of a request that contains the session's own credential. */
export interface PresentSession {
  userId: string
  sessionId: string
  credential: SessionCredential
  /** Seconds since its owner last authenticated. */
  authenticatedAgo: number
}

export type Presence = ReturnType<typeof createPresence>

export interface PresenceDeps {
  credentialStore: SessionCredentialStore
  readCredentials: ReadSessionCredentials
  principal: (request: FastifyRequest) => Principal
}

/**
 * Presence: the owner of the account makes the request. An access token does not prove it, for every service of its
 * audience sees it. The present credential of the session does, if its owner authenticated recently.
 *
 * A credential that does not prove it is not used up, and ends no session.
 */
export function createPresence ({ credentialStore, readCredentials, principal }: PresenceDeps) {
  /** Finds the credential of this session in a request, however long ago its owner authenticated. */
  async function find (request: FastifyRequest, { userId, sessionId }: Pick<PresentSession, 'userId' | 'sessionId'>): Promise<PresentSession | undefined> {
    for (const credential of readCredentials(request)) {
      const session = await credentialStore.find(credential)
      if (session?.sessionId === sessionId && session.userId === userId) return { userId, sessionId, credential, authenticatedAgo: session.authenticatedAgo }
    }
    return undefined
  }

  /**
   * The same, also by the refresh token before the present one, shortly after its rotation: a navigation sends the cookies that the
   * browser has when it begins. It shows which session this is, and no presence.
   */
  async function findRecent (request: FastifyRequest, { userId, sessionId }: Pick<PresentSession, 'userId' | 'sessionId'>): Promise<boolean> {
    for (const credential of readCredentials(request)) {
      const session = await credentialStore.findRecent(credential)
      if (session?.sessionId === sessionId && session.userId === userId) return true
    }
    return false
  }

  /** @returns the account of the first live session that a request has the credential of */
  async function ownerOf (request: FastifyRequest): Promise<string | undefined> {
    for (const credential of readCredentials(request)) {
      const session = await credentialStore.findRecent(credential)
      if (session !== undefined) return session.userId
    }
    return undefined
  }

  /** @throws Problem 401 `insufficient_user_authentication` */
  async function assert (request: FastifyRequest): Promise<PresentSession> {
    const { id: userId, sessionId } = principal(request)
    const present = await find(request, { userId, sessionId })
    if (present === undefined) throw recentLoginRequired('The request needs the credential of this session: its cookie, or its present refreshToken in the body')
    if (present.authenticatedAgo > MAX_AGE) throw recentLoginRequired()
    return present
  }

  /** A `preHandler` behind a guard, which requires presence. */
  async function require (request: FastifyRequest): Promise<void> {
    await assert(request)
  }

  return {
    find,
    findRecent,
    ownerOf,
    assert,
    require,
    /** A `preHandler` behind a guard, which requires presence of every request that changes something. */
    async requireToWrite (request: FastifyRequest): Promise<void> {
      if (!isSafeMethod(request.method)) await assert(request)
    }
  }
}

/** The error for a request without presence (RFC 9470). */
export function recentLoginRequired (detail?: string): Problem {
  return new Problem('insufficient_user_authentication', { maxAge: MAX_AGE, ...detail !== undefined && { detail } })
}
