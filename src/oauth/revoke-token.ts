import type { ClientTokenClaims } from 'countersign-verifier/internal'
import type { AuditStore } from '../audit/store.ts'
import { Problem } from '../errors.ts'
import type { ClientInfo } from '../http/client-info.ts'
import type { LedgerSync } from '../revocation/ledger-sync.ts'
import type { NamedSession } from '../sessions/end-session-store.ts'
import type { LogOut } from '../sessions/log-out.ts'
import type { RefreshTokens } from '../sessions/refresh-token.ts'
import type { Audiences } from '../tokens/audiences.ts'
import type { VerifiedToken } from '../tokens/verify-any-token.ts'
import { insufficientScope, type AuthenticatedClient } from './client-authentication.ts'
import type { ClientTokenRevocationStore } from './client-token-revocation-store.ts'
import type { InspectToken } from './introspect.ts'
import { OAuthError } from './oauth-error.ts'

/** The scope for ending the sessions of users. */
export const REVOKE_SESSIONS = 'sessions:revoke'

/**
 * Revokes a token: ends the session of a user's access or refresh token, or revokes a client's own token. There is nothing
 * to revoke in one that is unknown or no longer valid (RFC 7009 §2.2).
 *
 * @throws Problem 403 for a user's token without the scope, OAuthError for the token of another client
 */
export type RevokeToken = (token: string, client: AuthenticatedClient, from: ClientInfo) => Promise<void>

export interface RevokeTokenDeps {
  audiences: Pick<Audiences, 'claimedBy'>
  inspect: InspectToken
  refreshTokens: Pick<RefreshTokens, 'read'>
  endSession: LogOut
  clientTokens: ClientTokenRevocationStore
  ledgerSync: Pick<LedgerSync, 'apply'>
  audit: AuditStore
}

export function createRevokeToken ({ audiences, inspect, refreshTokens, endSession, clientTokens, ledgerSync, audit }: RevokeTokenDeps): RevokeToken {
  return async (token, client, from) => {
    const session = readRefreshToken(token)
    if (session !== undefined) return await revokeSession(session, client, from)
    const inspected = await inspectAny(token)
    if (inspected?.of === 'user') return await revokeSession({ sessionId: inspected.claims.sid }, client, from)
    if (inspected?.of === 'client') return await revokeClientToken(inspected.claims, client, from)
  }

  async function revokeSession (session: NamedSession, { id: clientId, scopes }: AuthenticatedClient, from: ClientInfo): Promise<void> {
    if (!scopes.includes(REVOKE_SESSIONS)) throw insufficientScope(REVOKE_SESSIONS)
    const wasLive = await endSession(session, from)
    // A session that had ended before was not ended by this client.
    if (wasLive) await audit.record({ action: 'client_revocation', outcome: 'success', sessionId: session.sessionId, detail: { clientId }, ...from })
  }

  async function revokeClientToken ({ sub, jti }: ClientTokenClaims, client: AuthenticatedClient, from: ClientInfo): Promise<void> {
    if (sub !== client.id) throw new OAuthError('unauthorized_client', 'The token was issued to another client')
    ledgerSync.apply(await clientTokens.revoke(jti, sub))
    // Shared with its repetitions: a client may take and revoke as many tokens as it likes.
    audit.recordRepeatable({ action: 'client_revocation', outcome: 'success', detail: { clientId: sub }, ...from })
  }

  function readRefreshToken (token: string): NamedSession | undefined {
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
