import type { ClientTokenClaims } from 'countersign-verifier/internal'
import type { AuditStore } from '../audit/store.ts'
import { Problem } from '../errors.ts'
import type { ClientInfo } from '../http/client-info.ts'
import type { LedgerSync } from '../revocation/ledger-sync.ts'
import type { EndSessionStore } from '../sessions/end-session-store.ts'
import { createLogOut, type LogoutRequest } from '../sessions/log-out.ts'
import type { RefreshTokens } from '../sessions/refresh-token.ts'
import type { Audiences } from '../tokens/audiences.ts'
import type { VerifiedToken } from '../tokens/verify-any-token.ts'
import { insufficientScope, type AuthenticatedClient } from './client-authentication.ts'
import type { InspectQuietly } from './inspect-quietly.ts'
import { OAuthError } from './oauth-error.ts'
import type { ClientTokenRevocationStore } from './client-token-revocation-store.ts'

/** The scope for ending the sessions of users. */
export const REVOKE_SESSIONS = 'sessions:revoke'

/**
 * Ends what a token stands for: the session of a user's access or refresh token, or a client's own token. One that is
 * not known, or no longer good, is nothing to revoke (RFC 7009 §2.2).
 *
 * @throws Problem 403 for a user's token without the scope, OAuthError for the token of another client
 */
export type RevokeToken = (token: string, by: AuthenticatedClient, from: ClientInfo) => Promise<void>

export interface RevokeTokenDeps {
  audiences: Pick<Audiences, 'claimedBy'>
  inspect: InspectQuietly
  refreshTokens: Pick<RefreshTokens, 'read'>
  endings: Pick<EndSessionStore, 'revoke'>
  clientTokens: ClientTokenRevocationStore
  propagation: Pick<LedgerSync, 'apply' | 'catchUp'>
  audit: AuditStore
}

export function createRevokeToken ({ audiences, inspect, refreshTokens, endings, clientTokens, propagation, audit }: RevokeTokenDeps): RevokeToken {
  return async (token, by, from) => {
    const session = readRefreshToken(token)
    if (session !== undefined) return await endAt(session, by, from)
    const inspected = await inspectAny(token)
    if (inspected?.of === 'user') return await endAt({ sessionId: inspected.claims.sid }, by, from)
    if (inspected?.of === 'client') return await endClientToken(inspected.claims, by, from)
  }

  async function endAt (session: LogoutRequest, { id: clientId, scopes }: AuthenticatedClient, from: ClientInfo): Promise<void> {
    if (!scopes.includes(REVOKE_SESSIONS)) throw insufficientScope(REVOKE_SESSIONS)
    let hasEnded = false
    async function logOut (...ending: Parameters<EndSessionStore['revoke']>) {
      const revocations = await endings.revoke(...ending)
      hasEnded = revocations.length > 0
      return revocations
    }
    await createLogOut({ endings: { logOut }, propagation })(session, from)
    // What had ended before is not this client's doing.
    if (hasEnded) await audit.record({ action: 'client_revocation', outcome: 'success', sessionId: session.sessionId, detail: { clientId }, ...from })
  }

  async function endClientToken ({ sub, jti }: ClientTokenClaims, by: AuthenticatedClient, from: ClientInfo): Promise<void> {
    if (sub !== by.id) throw new OAuthError('unauthorized_client', 'The token was issued to another client')
    propagation.apply(await clientTokens.note(jti))
    await audit.record({ action: 'client_revocation', outcome: 'success', detail: { clientId: sub, tokenId: jti }, ...from })
  }

  function readRefreshToken (token: string): LogoutRequest | undefined {
    try {
      return refreshTokens.read(token)
    } catch (error) {
      if (error instanceof Problem && error.code === 'invalid_refresh_token') return undefined
      throw error
    }
  }

  async function inspectAny (token: string): Promise<VerifiedToken | undefined> {
    const audience = await audiences.claimedBy(token)
    return audience && inspect(token, audience)
  }
}
