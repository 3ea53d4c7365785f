import { randomBytes } from 'node:crypto'
import { v7 as uuidv7 } from 'uuid'
import type { ClientInfo } from '../http/client-info.ts'
import type { LedgerSync } from '../revocation/ledger-sync.ts'
import type { MintAccessToken } from '../tokens/mint-access-token.ts'
import type { KeyRing } from '../tokens/derived-keys.ts'
import { MAX_LIVE_SESSIONS, type EndSessionStore } from './end-session-store.ts'
import type { RefreshTokens } from './refresh-token.ts'
import type { SessionNotices } from './session-notices.ts'
import { createSessionSecret } from './session-secret.ts'
import { tokenSubject, type SessionAccount } from './session-sql.ts'
import type { SessionCache } from './cache/redis-session-cache.ts'
import type { SessionRecord } from './stateful-session-store.ts'
import type { Channel, LoginProof, NewSession, OpenSessionStore, StoredSession } from './open-session-store.ts'

/** A session and its credentials: a pair of tokens, or the secret of a stateful session. */
export type Login = { user: SessionAccount, sessionId: string } & (
  | { channel: Exclude<Channel, 'session'>, accessToken: string, refreshToken: string, expiresIn: number }
  | { channel: 'session', secret: string, expiresIn: number }
)

/** An account, what its user proved, and whether the client has shown that the account has logged in from it before. */
export type LoginAccountProof = { id: string, isKnownDevice?: boolean } & LoginProof

/**
 * Opens a session of an account, and tells its owner where the device is new.
 *
 * @param mint makes the access token; by default for the service's own audience
 * @returns `undefined` when the proof no longer holds
 */
export type OpenSession = (account: LoginAccountProof, channel: Channel, client: ClientInfo, mint?: MintAccessToken) => Promise<Login | undefined>

/** A session to be stored, and what its credentials are made of afterwards. */
export interface PreparedSession {
  session: NewSession
  /** Of a stateful session. */
  secret: string | undefined
  mint: MintAccessToken
}

export type SessionIssuer = ReturnType<typeof createSessionIssuer>

/** Lifetimes of sessions, in seconds. */
export interface SessionLifetimes {
  idleTtl: number
  ttl: number
}

export interface SessionIssuerDeps {
  endSessions: Pick<EndSessionStore, 'endOldest'>
  ledgerSync: Pick<LedgerSync, 'apply'>
  mint: MintAccessToken
  refreshTokens: RefreshTokens
  /** The cache of stateful sessions that all instances share. */
  sharedCache: Pick<SessionCache, 'set'> | undefined
  ring: KeyRing
  /** @returns by what the network of a client is known from then on */
  networkTag (network: string | null | undefined): string | null
  stateless: SessionLifetimes
  stateful: SessionLifetimes
}

export function createOpenSession (store: Pick<OpenSessionStore, 'insert'>, issuer: SessionIssuer, notices: Pick<SessionNotices, 'newDevice' | 'wake'>): OpenSession {
  return async function openSession ({ isKnownDevice = false, ...account }, channel, client, mint) {
    const prepared = issuer.prepare(channel, client, mint)
    const stored = await store.insert(prepared.session, account, notices.newDevice(client, isKnownDevice))
    if (stored?.isNoticed === true) notices.wake()
    return stored && issuer.issue(prepared, stored, client)
  }
}

/** Makes sessions in two steps. Between them the session is stored, in one statement with whatever belongs to it. */
export function createSessionIssuer ({ endSessions, ledgerSync, mint: mintForService, refreshTokens, sharedCache, ring, networkTag, stateless, stateful }: SessionIssuerDeps) {
  // Where one ledger row for the user replaces those of the sessions, the account's version has risen: a token of the
  // version before would be revoked with them.
  async function endOldestSessions ({ userId, others, version }: StoredSession, client: ClientInfo): Promise<number> {
    if (others < MAX_LIVE_SESSIONS) return version
    const revocations = await endSessions.endOldest({ id: userId, kept: MAX_LIVE_SESSIONS }, client)
    ledgerSync.apply(revocations)
    return Math.max(version, ...revocations.map(revocation => revocation.kind === 'user' ? revocation.minVersion : version))
  }

  return {
    /** @param mint makes the access token; by default for the service's own audience */
    prepare (channel: Channel, client: ClientInfo, mint = mintForService): PreparedSession {
      const secret = channel === 'session' ? createSessionSecret() : undefined
      const lifetimes = channel === 'session' ? stateful : stateless
      return {
        session: { id: uuidv7(), channel, nonce: randomBytes(16), secretHash: secret?.hash ?? null, keyId: ring[0].id, ip: client.ip, userAgent: client.userAgent, networkTag: networkTag(client.network), ...lifetimes },
        secret: secret?.text,
        mint
      }
    },

    /** Makes the credentials of a session that was stored, and ends the user's oldest sessions if there are too many. */
    async issue ({ session, secret, mint }: PreparedSession, user: StoredSession, client: ClientInfo): Promise<Login> {
      const { id: sessionId, channel, nonce } = session
      const version = await endOldestSessions(user, client)
      if (secret !== undefined) {
        if (session.secretHash !== null) await sharedCache?.set(session.secretHash, toRecord(sessionId, user))
        return { user, sessionId, channel: 'session', secret, expiresIn: Math.floor(user.endsAt - user.now) }
      }
      return {
        ...mint({ subject: { ...tokenSubject(user), version }, sessionId, now: user.now, sessionEnds: user.endsAt }),
        user,
        sessionId,
        channel: channel === 'cookie' ? 'cookie' : 'body',
        refreshToken: refreshTokens.write({ sessionId, generation: 0, nonce })
      }
    }
  }
}

function toRecord (sessionId: string, { userId, email, emailVerified, role, version, createdAt, idleEndsAt, endsAt, now }: StoredSession): SessionRecord {
  return { sessionId, userId, email, emailVerified, role, version, createdAt, seenAt: createdAt, idleEndsAt, endsAt, confirmedAt: now }
}
