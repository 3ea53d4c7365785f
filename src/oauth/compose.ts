import type { InvalidToken } from 'countersign-verifier'
import type { AuditStore } from '../audit/store.ts'
import type { Database } from '../database/database.ts'
import type { AttemptLimiter } from '../limits/attempt-limiter.ts'
import type { RevocationState } from '../revocation/compose.ts'
import type { Sessions } from '../sessions/compose.ts'
import { createLogOut } from '../sessions/log-out.ts'
import type { Tokens } from '../tokens/compose.ts'
import { createClientAuthStore } from './client-auth-store.ts'
import { createClientAuthentication } from './client-authentication.ts'
import { createClientCredentialsGrant } from './client-credentials-grant.ts'
import { createClientTokenRevocationStore } from './client-token-revocation-store.ts'
import { createReadForwardedClient } from './forwarded-client.ts'
import { createInspectToken, createIntrospect } from './introspect.ts'
import { createRevokeToken } from './revoke-token.ts'

export interface OAuthDeps {
  database: Pick<Database, 'query'>
  limiter: AttemptLimiter
  tokens: Tokens
  revocation: Pick<RevocationState, 'apply' | 'catchUp' | 'now'>
  sessions: Pick<Sessions, 'endSessions' | 'refreshTokens'>
  audit: AuditStore
  /** Called for each refused token. */
  onRefused (error: InvalidToken): void
}

/** Everything the service does for OAuth clients. */
export function composeOAuth ({ database, limiter, tokens, revocation, sessions: { endSessions, refreshTokens }, audit, onRefused }: OAuthDeps) {
  const { audiences, verifyClientToken } = tokens
  const inspect = createInspectToken(tokens.inspect, onRefused)
  const clients = createClientAuthStore(database)
  const { authenticateClient, authorizeClient } = createClientAuthentication({ limiter, clients, audience: audiences.own.name, verifyClientToken, audit, onRefused })

  return {
    authenticateClient,
    authorizeClient,
    findClients: clients.findAll,
    readForwardedClient: createReadForwardedClient(verifyClientToken, onRefused),
    grant: createClientCredentialsGrant({ tokens, audit, now: revocation.now }),
    introspect: createIntrospect({ audiences, inspect }),
    revoke: createRevokeToken({
      audiences,
      inspect,
      refreshTokens,
      endSession: createLogOut({ end: endSessions.revoke, ledgerSync: revocation }),
      clientTokens: createClientTokenRevocationStore(database),
      ledgerSync: revocation,
      audit
    })
  }
}
