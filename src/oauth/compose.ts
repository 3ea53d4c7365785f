import type { InvalidToken } from 'countersign-verifier'
import type { AuditStore } from '../audit/store.ts'
import type { Database } from '../database/database.ts'
import type { RevocationState } from '../revocation/compose.ts'
import type { Sessions } from '../sessions/compose.ts'
import type { Tokens } from '../tokens/compose.ts'
import { createClientAuthentication } from './client-authentication.ts'
import { createClientCredentialsGrant } from './client-credentials-grant.ts'
import { createInspectQuietly } from './inspect-quietly.ts'
import { createIntrospect } from './introspect.ts'
import { createRevokeToken } from './revoke-token.ts'
import { createClientAuthStore } from './client-auth-store.ts'
import { createClientTokenRevocationStore } from './client-token-revocation-store.ts'

export interface OAuthDeps {
  database: Pick<Database, 'query'>
  tokens: Tokens
  revocation: Pick<RevocationState, 'apply' | 'catchUp' | 'now'>
  sessions: Pick<Sessions, 'endings' | 'refreshTokens'>
  audit: AuditStore
  /** Told of each refused token. */
  onRefused (error: InvalidToken): void
}

/** Everything the service does with other services. */
export function composeOAuth ({ database, tokens, revocation, sessions: { endings, refreshTokens }, audit, onRefused }: OAuthDeps) {
  const { audiences, verifyClientToken, publicKeys } = tokens
  const inspect = createInspectQuietly(tokens.inspect, onRefused)
  return {
    ...createClientAuthentication({ clients: createClientAuthStore(database), audience: audiences.own.name, verifyClientToken, audit, onRefused }),
    grant: createClientCredentialsGrant({ tokens, audit, now: revocation.now }),
    introspect: createIntrospect({ audiences, inspect }),
    revoke: createRevokeToken({ audiences, inspect, refreshTokens, endings, clientTokens: createClientTokenRevocationStore(database), propagation: revocation, audit }),
    publicKeys
  }
}
