import { randomBytes } from 'node:crypto'
import { v7 as uuidv7 } from 'uuid'
import type { MintAccessToken, MintedToken } from '../tokens/access-token.ts'
import type { KeyRing } from '../tokens/derived-keys.ts'
import type { RefreshTokens } from './refresh-token.ts'
import type { Channel, OpenedSession, SessionStore } from './store.ts'

/** Where a login comes from. */
export interface ClientDetails {
  ip: string
  userAgent: string | null
}

/** A session that was just opened: whose it is, and its credentials. */
export interface Login extends MintedToken {
  user: OpenedSession
  refreshToken: string
  channel: Channel
  sessionId: string
}

/** Opens a session for an account whose password was found to match `passwordHash`; `undefined` when that no longer holds. */
export type OpenSession = (account: { id: string, passwordHash: string }, channel: Channel, client: ClientDetails) => Promise<Login | undefined>

/** What opening a session takes. Lives are seconds. */
export interface OpenSessionParts {
  sessions: Pick<SessionStore, 'open'>
  mint: MintAccessToken
  refreshTokens: RefreshTokens
  ring: KeyRing
  idleTtl: number
  ttl: number
}

const USER_AGENT_LENGTH = 512

export function createOpenSession ({ sessions, mint, refreshTokens, ring, idleTtl, ttl }: OpenSessionParts): OpenSession {
  return async ({ id: userId, passwordHash }, channel, { ip, userAgent }) => {
    const sessionId = uuidv7()
    const nonce = randomBytes(16)
    const user = await sessions.open({
      id: sessionId, userId, passwordHash, channel, nonce, keyId: ring[0].id, ip, userAgent: userAgent?.slice(0, USER_AGENT_LENGTH) ?? null, idleTtl, ttl
    })
    if (user === undefined) return undefined
    const minted = mint({ subject: { ...user, id: user.userId }, sessionId, now: user.now, sessionEnds: user.endsAt })
    return { ...minted, user, sessionId, channel, refreshToken: refreshTokens.write({ sessionId, generation: 0, nonce }) }
  }
}
