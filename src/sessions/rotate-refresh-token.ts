import { createHash } from 'node:crypto'
import type { RevocationSet } from 'countersign-verifier/internal'
import type { AuditStore } from '../audit/store.ts'
import type { LastOutage } from '../database/outages.ts'
import { Problem } from '../errors.ts'
import type { ClientInfo } from '../http/client-info.ts'
import type { ReportLimits } from '../limits/attempt-limiter.ts'
import type { LimitInRow } from '../limits/limit-in-row.ts'
import type { LedgerSync } from '../revocation/ledger-sync.ts'
import type { MintAccessToken } from '../tokens/mint-access-token.ts'
import type { KeyRing } from '../tokens/derived-keys.ts'
import type { Tokens } from '../tokens/compose.ts'
import { createNegativeCache } from './cache/negative-cache.ts'
import type { EndSessionStore } from './end-session-store.ts'
import type { Login } from './open-session.ts'
import { REPEAT_WINDOW, type RefreshTokenContent, type RefreshTokens } from './refresh-token.ts'
import { MAX_LOST, type RefreshStore, type Rotation, type SessionState } from './refresh-store.ts'
import type { SessionNotices } from './session-notices.ts'
import { tokenSubject, type SessionAccount } from './session-sql.ts'
import type { Channel } from './open-session-store.ts'

// In ms: a statement begins here before it does on the server, which says how long ago that was.
const CLOCK_SLACK = 1_000

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
  /** Gets the headers of the limit. */
  report: ReportLimits
}

export type RotateRefreshToken = (request: RefreshRequest) => Promise<Login>

/** `idleTtl` is seconds. */
export interface RotationDeps {
  limit: Pick<LimitInRow, 'report' | 'refusal'>
  /** @returns by what the network of a client is known from then on */
  networkTag (network: string | null | undefined): string | null
  sessions: RefreshStore
  lastOutage: LastOutage
  revocations: Pick<RevocationSet, 'hasSession'>
  endSessions: Pick<EndSessionStore, 'endReused'>
  ledgerSync: Pick<LedgerSync, 'apply'>
  audit: AuditStore
  notices: Pick<SessionNotices, 'reusedToken' | 'wake'>
  refreshTokens: RefreshTokens
  mintFor: Tokens['mintFor']
  ring: KeyRing
  idleTtl: number
}

export function createRotateRefreshToken ({ limit, networkTag, sessions, lastOutage, revocations, endSessions, ledgerSync, audit, notices, refreshTokens, mintFor, ring, idleTtl }: RotationDeps): RotateRefreshToken {
  // Of no session, or from before a new password: nothing counts what is asked for these.
  const unknown = createNegativeCache()

  return async function rotateRefreshToken ({ refreshToken, channel, audience, idempotencyKey, client, report }) {
    const token = refreshTokens.read(refreshToken)
    const { sessionId, generation, nonce } = token
    // Also where the database does not know it: a failover may have lost the logout, until it is written back.
    if (revocations.hasSession(sessionId) || unknown.has(nonce)) throw new Problem('invalid_refresh_token')
    const idempotencyKeyHash = idempotencyKey === undefined ? null : createHash('sha256').update(idempotencyKey).digest()
    const rotation = { sessionId, generation, nonce, channel, idempotencyKeyHash, keyId: ring[0].id, idleTtl, client, networkTag: networkTag(client.network) }

    // Before the token is used up.
    const mint = await mintFor(audience).catch((error: unknown) => refuseAudience(error, rotation, report))
    const rotated = await sessions.rotate(rotation)
    if (rotated !== undefined) {
      limit.report(rotated.refreshes, rotated.now, report)
      return issueSuccessor(mint, rotated, token, channel)
    }

    let state = usable(await count(rotation, report), channel)
    if (state.generation <= generation) {
      const recovered = await sessions.rotateCounted(rotation)
      if (recovered !== undefined) {
        if (state.generation < generation) recordLost(recovered, sessionId, client)
        return issueSuccessor(mint, recovered, token, channel)
      }
      // A parallel request with this token was first, or it is too far ahead.
      state = usable(await sessions.find(rotation), channel)
    }
    if (state.generation <= generation) throw new Problem('invalid_refresh_token')
    if (!isRepeat(state, token)) return await refuseReuse(token.sessionId, client)
    recordRepeat(state, token.sessionId, client)
    return issueSuccessor(mint, state, token, channel)
  }

  // What rotates nothing counts too.
  async function count (rotation: Rotation, report: ReportLimits): Promise<SessionState | undefined> {
    const state = await sessions.count(rotation)
    if (state !== undefined) {
      limit.report(state.refreshes, state.now, report)
      return state
    }
    const refused = await sessions.find(rotation)
    if (refused !== undefined) throw limit.refusal(refused.refreshes, refused.now)
    unknown.add(rotation.nonce)
    return undefined
  }

  function usable (state: SessionState | undefined, channel: RefreshRequest['channel']): SessionState {
    if (state === undefined || !state.isLive || state.channel !== channel) throw new Problem('invalid_refresh_token')
    return state
  }

  function issueSuccessor (mint: MintAccessToken, user: SessionAccount, { sessionId, generation, nonce }: RefreshTokenContent, channel: RefreshRequest['channel']): Login {
    const { accessToken, expiresIn } = mint({ subject: tokenSubject(user), sessionId, now: user.now, sessionEnds: user.endsAt })
    return { accessToken, expiresIn, refreshToken: refreshTokens.write({ sessionId, generation: generation + 1, nonce }), user, sessionId, channel }
  }

  // Only a token that could be refreshed finds out whether a client has that audience.
  async function refuseAudience (error: unknown, rotation: Rotation, report: ReportLimits): Promise<never> {
    if (!(error instanceof Problem)) throw error
    const state = await count(rotation, report)
    const isPresent = state !== undefined && state.isLive && state.channel === rotation.channel && state.generation <= rotation.generation && state.generation >= rotation.generation - MAX_LOST
    throw isPresent ? error : new Problem('invalid_refresh_token')
  }

  async function refuseReuse (sessionId: string, client: ClientInfo): Promise<never> {
    const revocations = await endSessions.endReused(sessionId, client, notices.reusedToken(client))
    ledgerSync.apply(revocations)
    if (revocations.length > 0) notices.wake()
    throw new Problem('refresh_token_reused')
  }

  function recordLost ({ userId }: SessionAccount, sessionId: string, client: ClientInfo): void {
    audit.recordRepeatable({ action: 'refresh', outcome: 'ahead', actorId: userId, subjectId: userId, sessionId, ...client }, 'session')
  }

  function recordRepeat ({ ip, userAgent, userId }: SessionState, sessionId: string, client: ClientInfo): void {
    if (client.ip === ip && client.userAgent === userAgent) return
    audit.recordRepeatable({ action: 'refresh', outcome: 'repeated', actorId: userId, subjectId: userId, sessionId, ...client }, 'session')
  }

  // A phone that was suspended before it received the response is not a thief: it repeats the request with the token it has,
  // soon, or at any time with the same Idempotency-Key.
  function isRepeat ({ generation, rotatedAgo, isSameKey }: SessionState, token: RefreshTokenContent): boolean {
    if (generation !== token.generation + 1) return false
    return isSameKey || (rotatedAgo !== null && secondsSince(rotatedAgo) <= REPEAT_WINDOW)
  }

  // Nobody got the response to a rotation that fell into an outage: a commit that waits for a standby counts from its beginning,
  // and may take longer than the window. So it counts from the outage's end.
  function secondsSince (rotatedAgo: number): number {
    const outage = lastOutage()
    const rotatedAt = performance.now() - rotatedAgo * 1000
    const fellIntoIt = outage !== undefined && rotatedAt > outage.beganAt - CLOCK_SLACK && rotatedAt < outage.endedAt
    return fellIntoIt ? (performance.now() - outage.endedAt) / 1000 : rotatedAgo
  }
}
