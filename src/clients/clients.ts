import type { InvalidToken } from 'countersign-verifier'
import type { AuditStore } from '../audit/store.ts'
import type { Database } from '../database/database.ts'
import type { Revocation } from '../revocation/revocation.ts'
import type { Sessions } from '../sessions/sessions.ts'
import type { Tokens } from '../tokens/tokens.ts'
import { createClientAuthentication } from './authenticate-client.ts'
import { createGrantClientToken } from './grant-client-token.ts'
import { createInspectQuietly } from './inspect-quietly.ts'
import { createIntrospectToken } from './introspect-token.ts'
import { createRevokeToken } from './revoke-token.ts'
import { createClientStore } from './store.ts'
import { createTokenRevocationStore } from './token-revocation-store.ts'

/** What clients take. */
export interface ClientsParts {
  database: Pick<Database, 'query'>
  tokens: Tokens
  revocation: Pick<Revocation, 'apply' | 'catchUp' | 'now'>
  sessions: Pick<Sessions, 'endings' | 'refreshTokens'>
  audit: AuditStore
  /** Told of each refused token. */
  onRefused (error: InvalidToken): void
}

/** Everything the service does with other services. */
export function createClients ({ database, tokens, revocation, sessions: { endings, refreshTokens }, audit, onRefused }: ClientsParts) {
  const { audiences, verifyClientToken, publicKeys } = tokens
  const inspect = createInspectQuietly(tokens.inspect, onRefused)
  return {
    ...createClientAuthentication({ clients: createClientStore(database), audience: audiences.own.name, verifyClientToken, audit, onRefused }),
    grant: createGrantClientToken({ tokens, audit, now: revocation.now }),
    introspect: createIntrospectToken({ audiences, inspect }),
    revoke: createRevokeToken({ audiences, inspect, refreshTokens, endings, clientTokens: createTokenRevocationStore(database), propagation: revocation, audit }),
    publicKeys
  }
}
