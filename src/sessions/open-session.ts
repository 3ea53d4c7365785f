import { randomBytes } from 'node:crypto'
import { v7 as uuidv7 } from 'uuid'
import type { ClientDetails } from '../http/client-details.ts'
import type { Propagation } from '../revocation/propagation.ts'
import type { MintAccessToken } from '../tokens/access-token.ts'
import type { KeyRing } from '../tokens/derived-keys.ts'
import type { EndingStore } from './ending-store.ts'
import type { RefreshTokens } from './refresh-token.ts'
import { createSessionSecret } from './session-secret.ts'
import type { Channel, LoginProof, OpenedSession, SessionAccount, SessionStore } from './store.ts'

/** A session and its credentials: a pair of tokens, or the secret of a stateful session. */
export type Login = { user: SessionAccount, sessionId: string } & (
  | { channel: Exclude<Channel, 'session'>, accessToken: string, refreshToken: string, expiresIn: number }
  | { channel: 'session', secret: string, expiresIn: number }
)

/** Opens a session for an account, given what was proved of it; `undefined` when that no longer holds. */
export type OpenSession = (account: { id: string } & LoginProof, channel: Channel, client: ClientDetails) => Promise<Login | undefined>

/** How long sessions last, in seconds. */
export interface SessionLives {
  idleTtl: number
  ttl: number
}

/** What opening a session takes. */
export interface OpenSessionParts {
  sessions: Pick<SessionStore, 'open'>
  endings: Pick<EndingStore, 'endOldest'>
  propagation: Pick<Propagation, 'apply'>
  mint: MintAccessToken
  refreshTokens: RefreshTokens
  ring: KeyRing
  stateless: SessionLives
  stateful: SessionLives
}

/** The most live sessions of a user. */
const MOST_SESSIONS = 100

export function createOpenSession ({ sessions, endings, propagation, mint, refreshTokens, ring, stateless, stateful }: OpenSessionParts): OpenSession {
  return async ({ id: userId, ...proof }, channel, client) => {
    const sessionId = uuidv7()
    const nonce = randomBytes(16)
    const secret = channel === 'session' ? createSessionSecret() : undefined
    const lives = channel === 'session' ? stateful : stateless
    const user = await sessions.open({ id: sessionId, userId, proof, channel, nonce, secretHash: secret?.hash ?? null, keyId: ring[0].id, ...client, ...lives })
    if (user === undefined) return undefined
    const version = await makeRoom(user, client)
    if (secret !== undefined) return { user, sessionId, channel: 'session', secret: secret.text, expiresIn: Math.floor(user.endsAt - user.now) }
    return {
      ...mint({ subject: { ...user, id: userId, version }, sessionId, now: user.now, sessionEnds: user.endsAt }),
      user,
      sessionId,
      channel: channel === 'cookie' ? 'cookie' : 'body',
      refreshToken: refreshTokens.write({ sessionId, generation: 0, nonce })
    }
  }

  // Where so many have ended that one row for the user speaks of them all, the account's version has risen: the new
  // session's token must be of that version, or it would be among what is revoked.
  async function makeRoom ({ userId, others, version }: OpenedSession, client: ClientDetails): Promise<number> {
    if (others < MOST_SESSIONS) return version
    const revocations = await endings.endOldest({ id: userId, kept: MOST_SESSIONS }, client)
    propagation.apply(revocations)
    return Math.max(version, ...revocations.map(revocation => revocation.kind === 'user' ? revocation.minVersion : version))
  }
}
