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
import type { SessionAccount } from './session-sql.ts'
import type { Channel } from './open-session-store.ts'

/** How long the previous token still gets the same successor, in seconds. */
const REPEAT_WINDOW = 30

/** A request for a new pair of tokens. */
export interface RefreshRequest {
  refreshToken: string
  /** How the token arrived: it is valid only on the channel that its session was opened for. */
  channel: Exclude<Channel, 'session'>
  /** The audience of the access token; by default the service's own, whatever was requested before. */
  audience: string | undefined
  /** 128 or more random bits that the client stored before it sent them. */
  idempotencyKey: string | undefined
  client: ClientInfo
}

export type RotateRefreshToken = (request: RefreshRequest) => Promise<Login>

/** `idleTtl` is seconds. */
export interface RotationDeps {
  sessions: RefreshStore
  endSessions: Pick<EndSessionStore, 'endReused'>
  ledgerSync: Pick<LedgerSync, 'apply'>
  audit: AuditStore
  refreshTokens: RefreshTokens
  mintFor: Tokens['mintFor']
  ring: KeyRing
  idleTtl: number
}

export function createRotateRefreshToken ({ sessions, endSessions, ledgerSync, audit, refreshTokens, mintFor, ring, idleTtl }: RotationDeps): RotateRefreshToken {
  return async function rotateRefreshToken ({ refreshToken, channel, audience, idempotencyKey, client }) {
    const token = refreshTokens.read(refreshToken)
    const mint = await mintFor(audience)
    const idempotencyKeyHash = idempotencyKey === undefined ? null : createHash('sha256').update(idempotencyKey).digest()
    const rotation = { ...token, channel, idempotencyKeyHash, keyId: ring[0].id, idleTtl, client }

    const rotated = await sessions.rotate(rotation)
    if (rotated !== undefined) return issueSuccessor(mint, rotated, token, channel)

    const state = await sessions.find(rotation)
    if (state === undefined || !state.isLive || state.channel !== channel || state.generation <= token.generation) throw new Problem('invalid_refresh_token')
    if (!isRepeat(state, token)) return await refuseReuse(token.sessionId, client)
    await recordRepeat(state, token.sessionId, client)
    return issueSuccessor(mint, state, token, channel)
  }

  function issueSuccessor (mint: MintAccessToken, user: SessionAccount, { sessionId, generation, nonce }: RefreshTokenContent, channel: RefreshRequest['channel']): Login {
    return {
      ...mint({ subject: { ...user, id: user.userId }, sessionId, now: user.now, sessionEnds: user.endsAt }),
      refreshToken: refreshTokens.write({ sessionId, generation: generation + 1, nonce }),
      user,
      sessionId,
      channel
    }
  }

  async function refuseReuse (sessionId: string, client: ClientInfo): Promise<never> {
    ledgerSync.apply(await endSessions.endReused(sessionId, client))
    throw new Problem('refresh_token_reused')
  }

  async function recordRepeat ({ ip, userAgent, userId }: SessionState, sessionId: string, client: ClientInfo): Promise<void> {
    if (client.ip === ip && client.userAgent === userAgent) return
    await audit.record({ action: 'refresh', outcome: 'repeated', actorId: userId, subjectId: userId, sessionId, ...client })
  }
}

// A phone that was suspended before it received the response is not a thief: it repeats the request with the token it has,
// soon, or at any time with the same Idempotency-Key.
function isRepeat ({ generation, rotatedAgo, isSameKey }: SessionState, token: RefreshTokenContent): boolean {
  if (generation !== token.generation + 1) return false
  return isSameKey || (rotatedAgo !== null && rotatedAgo <= REPEAT_WINDOW)
}
