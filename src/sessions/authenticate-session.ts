import { InvalidToken, type Principal } from 'countersign-verifier'
import { MAX_ACCESS_TOKEN_LIFE, type RevocationSet } from 'countersign-verifier/internal'
import { readSessionSecret, type SessionSecret } from './session-secret.ts'
import { createNegativeCache } from './cache/negative-cache.ts'
import type { SessionCache } from './cache/redis-session-cache.ts'
import type { SessionRecord, StatefulSessionStore } from './stateful-session-store.ts'

/** Recognises a stateful session by its cookie. @throws InvalidToken when it is no live session's */
export type AuthenticateSession = (cookie: string) => Promise<Principal>

export interface AuthenticateSessionDeps {
  sessions: StatefulSessionStore
  /** Copies in front of Postgres, nearest first. */
  copies: readonly SessionCache[]
  revocations: RevocationSet
  /** Whether what is known of revocations is new enough to trust a copy by; otherwise Postgres is asked. */
  isFresh: () => boolean
  /** The database's clock, Unix seconds. */
  now: () => number
  /** Seconds. */
  idleTtl: number
  /** Told of a failure to write that a session is in use: it keeps nobody out. */
  onTouchFailed: (error: unknown) => void
}

/** The part of its idle life after which a session in use is written to be. */
const TOUCH_AFTER = 0.1

/**
 * A copy is believed only while the revocation set says nothing of its session, and never for longer than revocations
 * are kept: so neither a lost deletion nor a failover can outlive the end of a session.
 */
export function createAuthenticateSession ({ sessions, copies, revocations, isFresh, now, idleTtl, onTouchFailed }: AuthenticateSessionDeps): AuthenticateSession {
  const touching = new Set<string>()
  const refused = createNegativeCache()

  return async function recogniseSession (cookie) {
    const secret = readSessionSecret(cookie)
    if (secret === undefined) throw new InvalidToken('malformed')
    if (refused.has(secret.hash)) throw new InvalidToken('expired')
    const record = await fromCopies(secret) ?? await confirm(secret)
    if (record === undefined) throw new InvalidToken('expired')
    if (revocations.hasSession(record.sessionId)) throw new InvalidToken('revoked')
    if (record.seenAt + idleTtl * TOUCH_AFTER < now()) touch(secret, record.sessionId)
    return toPrincipal(record)
  }

  async function fromCopies (secret: SessionSecret): Promise<SessionRecord | undefined> {
    if (!isFresh()) return undefined
    for (const [index, copy] of copies.entries()) {
      const record = await copy.get(secret.hash)
      if (record === undefined) continue
      const { sessionId, userId: subject, version } = record
      if (revocations.hasSession(sessionId)) throw new InvalidToken('revoked')
      // Another role, or a disabled account: the copy is behind, and Postgres knows. So it does for what seems to be over.
      if (revocations.has({ sessionId, subject, version }) || !isCurrent(record)) return undefined
      await Promise.all(copies.slice(0, index).map(nearer => nearer.set(secret.hash, record)))
      return record
    }
    return undefined
  }

  function isCurrent ({ confirmedAt, idleEndsAt, endsAt }: SessionRecord): boolean {
    const time = now()
    return time < idleEndsAt && time < endsAt && time < confirmedAt + MAX_ACCESS_TOKEN_LIFE
  }

  async function confirm (secret: SessionSecret): Promise<SessionRecord | undefined> {
    const record = await sessions.find(secret.hash)
    if (record === undefined) refused.add(secret.hash)
    return keep(secret, record)
  }

  async function keep (secret: SessionSecret, record: SessionRecord | undefined): Promise<SessionRecord | undefined> {
    await Promise.all(copies.map(copy => record === undefined ? copy.delete(secret.hash) : copy.set(secret.hash, record)))
    return record
  }

  function touch (secret: SessionSecret, sessionId: string): void {
    if (touching.has(sessionId)) return
    touching.add(sessionId)
    sessions.touch(secret.hash, idleTtl)
      .then(record => keep(secret, record))
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
