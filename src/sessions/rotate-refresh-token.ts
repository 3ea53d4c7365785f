import { createHash } from 'node:crypto'
import type { AuditStore } from '../audit/store.ts'
import { Problem } from '../errors.ts'
import type { ClientInfo } from '../http/client-info.ts'
import type { LedgerSync } from '../revocation/ledger-sync.ts'
import type { MintAccessToken } from '../tokens/mint-access-token.ts'
import type { KeyRing } from '../tokens/derived-keys.ts'
import type { Tokens } from '../tokens/compose.ts'
import type { EndSessionStore } from './end-session-store.ts'
import type { Login } from './open-session.ts'
import type { RefreshTokenContent, RefreshTokens } from './refresh-token.ts'
import type { RefreshStore, SessionState } from './refresh-store.ts'
import type { Channel, SessionAccount } from './open-session-store.ts'

/** How long the token before the present one still gets the same successor, in seconds. */
const REPEAT_WINDOW = 30

/** A request for a new pair of tokens. */
export interface RefreshAttempt {
  refreshToken: string
  /** How the token came: it is good only on the channel that its session was opened for. */
  channel: Exclude<Channel, 'session'>
  /** Whom the access token is for; the service itself where nobody is named, whatever was asked for before. */
  audience: string | undefined
  /** 128 or more random bits that the client stored before it sent them. */
  idempotencyKey: string | undefined
  client: ClientInfo
}

export type RotateRefreshToken = (attempt: RefreshAttempt) => Promise<Login>

/** What rotating takes. `idleTtl` is seconds. */
export interface RotationDeps {
  sessions: RefreshStore
  endings: Pick<EndSessionStore, 'endReused'>
  propagation: Pick<LedgerSync, 'apply'>
  audit: AuditStore
  refreshTokens: RefreshTokens
  mintFor: Tokens['mintFor']
  ring: KeyRing
  idleTtl: number
}

export function createRotateRefreshToken ({ sessions, endings, propagation, audit, refreshTokens, mintFor, ring, idleTtl }: RotationDeps): RotateRefreshToken {
  return async function rotateRefreshToken ({ refreshToken, channel, audience, idempotencyKey, client }) {
    const token = refreshTokens.read(refreshToken)
    const mint = await mintFor(audience)
    const succeed = (user: SessionAccount) => deliverSuccessor(mint, user, token, channel)
    const attemptHash = idempotencyKey === undefined ? null : createHash('sha256').update(idempotencyKey).digest()
    const rotation = { ...token, channel, attemptHash, keyId: ring[0].id, idleTtl, client }

    const rotated = await sessions.rotate(rotation)
    if (rotated !== undefined) return succeed(rotated)

    const state = await sessions.find(rotation)
    if (state === undefined || !state.isLive || state.channel !== channel || state.generation <= token.generation) throw new Problem('invalid_refresh_token')
    if (!isRepeat(state, token)) return await refuseReuse(token.sessionId, client)
    await noteRepeat(state, token.sessionId, client)
    return succeed(state)
  }

  function deliverSuccessor (mint: MintAccessToken, user: SessionAccount, { sessionId, generation, nonce }: RefreshTokenContent, channel: RefreshAttempt['channel']): Login {
    return {
      ...mint({ subject: { ...user, id: user.userId }, sessionId, now: user.now, sessionEnds: user.endsAt }),
      refreshToken: refreshTokens.write({ sessionId, generation: generation + 1, nonce }),
      user,
      sessionId,
      channel
    }
  }

  async function refuseReuse (sessionId: string, client: ClientInfo): Promise<never> {
    propagation.apply(await endings.endReused(sessionId, client))
    throw new Problem('refresh_token_reused')
  }

  async function noteRepeat ({ ip, userAgent, userId }: SessionState, sessionId: string, client: ClientInfo): Promise<void> {
    if (client.ip === ip && client.userAgent === userAgent) return
    await audit.record({ action: 'refresh', outcome: 'repeated', actorId: userId, subjectId: userId, sessionId, ...client })
  }
}

// A phone that was suspended in the middle of an answer is not a thief: it asks again with what it has, soon, or at any
// time under the key that it stored before it sent.
function isRepeat ({ generation, rotatedAgo, isSameAttempt }: SessionState, token: RefreshTokenContent): boolean {
  if (generation !== token.generation + 1) return false
  return isSameAttempt || (rotatedAgo !== null && rotatedAgo <= REPEAT_WINDOW)
}
