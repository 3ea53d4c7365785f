import { InvalidToken, type Principal } from 'countersign-verifier'
import { MAX_ACCESS_TOKEN_LIFE, type RevocationSet } from 'countersign-verifier/internal'
import { readSessionSecret, type SessionSecret } from './session-secret.ts'
import { createNegativeCache } from './cache/negative-cache.ts'
import type { ForgetSessions } from './cache/forget-sessions.ts'
import type { SessionCache } from './cache/redis-session-cache.ts'
import { TOUCH_AFTER } from './session-sql.ts'
import type { SessionRecord, StatefulSessionStore } from './stateful-session-store.ts'

/** Authenticates a request by the cookie of a stateful session. @throws InvalidToken where it is not that of a live session */
export type AuthenticateSession = (cookie: string) => Promise<Principal>

export interface AuthenticateSessionDeps {
  sessions: StatefulSessionStore
  /** Caches in front of Postgres, the nearest first. */
  caches: readonly SessionCache[]
  /** Deletes copies of sessions that have ended. */
  forget: ForgetSessions
  revocations: RevocationSet
  /** Whether the revocation set is recent enough to trust a cache; otherwise Postgres is read. */
  isFresh: () => boolean
  /** The database's clock, Unix seconds. */
  now: () => number
  /** Seconds. */
  idleTtl: number
  /** Called when it could not be stored that a session is in use. The request goes on. */
  onTouchFailed: (error: unknown) => void
}

/**
 * A cached session is trusted only while the revocation set does not contain it, and never for longer than revocations are
 * kept: so neither a lost deletion nor a failover lets a session outlive its end.
 */
export function createAuthenticateSession ({ sessions, caches, forget, revocations, isFresh, now, idleTtl, onTouchFailed }: AuthenticateSessionDeps): AuthenticateSession {
  const touching = new Set<string>()
  const negativeCache = createNegativeCache()

  return async function authenticateSession (cookie) {
    const secret = readSessionSecret(cookie)
    if (secret === undefined) throw new InvalidToken('malformed')
    if (negativeCache.has(secret.hash)) throw new InvalidToken('expired')
    const record = await readCaches(secret) ?? await readStore(secret)
    if (record === undefined) throw new InvalidToken('expired')
    if (revocations.hasSession(record.sessionId)) throw new InvalidToken('revoked')
    if (record.seenAt + idleTtl * TOUCH_AFTER < now()) touch(secret, record.sessionId)
    return toPrincipal(record)
  }

  async function readCaches (secret: SessionSecret): Promise<SessionRecord | undefined> {
    if (!isFresh()) return undefined
    for (const [index, cache] of caches.entries()) {
      const record = await cache.get(secret.hash)
      if (record === undefined) continue
      const { sessionId, userId: subject, version } = record
      if (revocations.hasSession(sessionId)) {
        forget([secret.hash])
        throw new InvalidToken('revoked')
      }
      // The role changed, the account was disabled, or the session seems to be over: Postgres decides.
      if (revocations.has({ sessionId, subject, version }) || !isCurrent(record)) return undefined
      await Promise.all(caches.slice(0, index).map(nearer => nearer.set(secret.hash, record)))
      return record
    }
    return undefined
  }

  function isCurrent ({ confirmedAt, idleEndsAt, endsAt }: SessionRecord): boolean {
    const time = now()
    return time < idleEndsAt && time < endsAt && time < confirmedAt + MAX_ACCESS_TOKEN_LIFE
  }

  async function readStore (secret: SessionSecret): Promise<SessionRecord | undefined> {
    const record = await sessions.find(secret.hash)
    if (record === undefined) negativeCache.add(secret.hash)
    return writeCaches(secret, record)
  }

  async function writeCaches (secret: SessionSecret, record: SessionRecord | undefined): Promise<SessionRecord | undefined> {
    await Promise.all(caches.map(cache => record === undefined ? cache.delete(secret.hash) : cache.set(secret.hash, record)))
    return record
  }

  function touch (secret: SessionSecret, sessionId: string): void {
    if (touching.has(sessionId)) return
    touching.add(sessionId)
    sessions.touch(secret.hash, idleTtl)
      .then(record => writeCaches(secret, record))
      .catch(onTouchFailed)
      .finally(() => touching.delete(sessionId))
  }
}

function toPrincipal ({ userId, email, emailVerified, role, sessionId, createdAt, endsAt }: SessionRecord): Principal {
  return Object.freeze({
    id: userId,
    email,
    emailVerified,
    role,
    sessionId,
    clientId: null,
    scopes: Object.freeze([]),
    tokenId: null,
    issuedAt: new Date(createdAt * 1000).toISOString(),
    expiresAt: new Date(endsAt * 1000).toISOString(),
    credential: 'session'
  })
}
