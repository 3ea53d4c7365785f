import { randomBytes } from 'node:crypto'
import { v7 as uuidv7 } from 'uuid'
import type { ClientInfo } from '../http/client-info.ts'
import type { LedgerSync } from '../revocation/ledger-sync.ts'
import type { MintAccessToken } from '../tokens/mint-access-token.ts'
import type { KeyRing } from '../tokens/derived-keys.ts'
import type { EndSessionStore } from './end-session-store.ts'
import type { RefreshTokens } from './refresh-token.ts'
import { createSessionSecret } from './session-secret.ts'
import type { SessionCache } from './cache/redis-session-cache.ts'
import type { SessionRecord } from './stateful-session-store.ts'
import type { Channel, LoginProof, NewSession, OpenedSession, SessionAccount, OpenSessionStore } from './open-session-store.ts'

/** A session and its credentials: a pair of tokens, or the secret of a stateful session. */
export type Login = { user: SessionAccount, sessionId: string } & (
  | { channel: Exclude<Channel, 'session'>, accessToken: string, refreshToken: string, expiresIn: number }
  | { channel: 'session', secret: string, expiresIn: number }
)

/**
 * Opens a session for an account, given what was proved of it; `undefined` when that no longer holds. Its access token is
 * for the service's own audience, unless `mint` makes it for another.
 */
export type OpenSession = (account: { id: string } & LoginProof, channel: Channel, client: ClientInfo, mint?: MintAccessToken) => Promise<Login | undefined>

/** A session that is to be stored, and what only its client will hold. */
export interface PreparedSession {
  session: NewSession
  /** Of a stateful session. */
  secret: string | undefined
  mint: MintAccessToken
}

/** Opening a session, in the two steps between which it is stored together with whatever belongs to it. */
export interface SessionOpening {
  /** @param mint makes the access token for another audience than the service's own */
  prepare (channel: Channel, client: ClientInfo, mint?: MintAccessToken): PreparedSession
  /** Makes the credentials of a session that is stored now. */
  complete (prepared: PreparedSession, opened: OpenedSession, client: ClientInfo): Promise<Login>
}

/** How long sessions last, in seconds. */
export interface SessionLives {
  idleTtl: number
  ttl: number
}

export interface SessionOpeningDeps {
  endings: Pick<EndSessionStore, 'endOldest'>
  propagation: Pick<LedgerSync, 'apply'>
  mint: MintAccessToken
  refreshTokens: RefreshTokens
  /** What a stateful session is written through to, where other instances read it. */
  sharedCopies: Pick<SessionCache, 'set'> | undefined
  ring: KeyRing
  stateless: SessionLives
  stateful: SessionLives
}

/** The most live sessions of a user. */
const MOST_SESSIONS = 100

export function createOpenSession (sessions: Pick<OpenSessionStore, 'open'>, opening: SessionOpening): OpenSession {
  return async function openSession (account, channel, client, mint) {
    const prepared = opening.prepare(channel, client, mint)
    const opened = await sessions.open(prepared.session, account)
    return opened && opening.complete(prepared, opened, client)
  }
}

export function createSessionOpening ({ endings, propagation, mint: mintForService, refreshTokens, sharedCopies, ring, stateless, stateful }: SessionOpeningDeps): SessionOpening {
  // Where so many have ended that one row for the user speaks of them all, the account's version has risen: the new
  // session's token must be of that version, or it would be among what is revoked.
  async function makeRoom ({ userId, others, version }: OpenedSession, client: ClientInfo): Promise<number> {
    if (others < MOST_SESSIONS) return version
    const revocations = await endings.endOldest({ id: userId, kept: MOST_SESSIONS }, client)
    propagation.apply(revocations)
    return Math.max(version, ...revocations.map(revocation => revocation.kind === 'user' ? revocation.minVersion : version))
  }

  return {
    prepare (channel, client, mint = mintForService) {
      const secret = channel === 'session' ? createSessionSecret() : undefined
      const lives = channel === 'session' ? stateful : stateless
      return {
        session: { id: uuidv7(), channel, nonce: randomBytes(16), secretHash: secret?.hash ?? null, keyId: ring[0].id, ...client, ...lives },
        secret: secret?.text,
        mint
      }
    },

    async complete ({ session, secret, mint }, user, client) {
      const { id: sessionId, channel, nonce } = session
      const version = await makeRoom(user, client)
      if (secret !== undefined) {
        if (session.secretHash !== null) await sharedCopies?.set(session.secretHash, recordOf(sessionId, user))
        return { user, sessionId, channel: 'session', secret, expiresIn: Math.floor(user.endsAt - user.now) }
      }
      return {
        ...mint({ subject: { ...user, id: user.userId, version }, sessionId, now: user.now, sessionEnds: user.endsAt }),
        user,
        sessionId,
        channel: channel === 'cookie' ? 'cookie' : 'body',
        refreshToken: refreshTokens.write({ sessionId, generation: 0, nonce })
      }
    }
  }
}

/** A stateful session as Postgres has just confirmed it. */
function recordOf (sessionId: string, { userId, email, emailVerified, role, version, openedAt, idleEndsAt, endsAt, now }: OpenedSession): SessionRecord {
  return { sessionId, userId, email, emailVerified, role, version, createdAt: openedAt, seenAt: openedAt, idleEndsAt, endsAt, confirmedAt: now }
}
