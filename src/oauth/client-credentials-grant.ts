import type { AuditStore } from '../audit/store.ts'
import type { ClientInfo } from '../http/client-info.ts'
import type { MintedToken } from '../tokens/mint-access-token.ts'
import type { Tokens } from '../tokens/compose.ts'
import type { AuthenticatedClient } from './client-authentication.ts'
import { OAuthError } from './oauth-error.ts'

/** The parameters of a token request (RFC 6749 §4.4.2). */
export interface TokenRequest {
  /** Separated by spaces. Default: everything that the client is registered for. */
  scope?: string | undefined
  /** Which service the token is for. Default: this one. */
  audience?: string | undefined
  /** The same as `audience` (RFC 8707). */
  resource?: string | undefined
}

/** Issues a token to a client. @throws OAuthError, Problem `unknown_audience` */
export type ClientCredentialsGrant = (client: AuthenticatedClient, request: TokenRequest, from: ClientInfo) => Promise<MintedToken & { scopes: readonly string[] }>

export interface ClientCredentialsGrantDeps {
  tokens: Pick<Tokens, 'audiences' | 'mintForClient'>
  audit: AuditStore
  /** The database's clock, Unix seconds. */
  now (): number
}

export function createClientCredentialsGrant ({ tokens: { audiences, mintForClient }, audit, now }: ClientCredentialsGrantDeps): ClientCredentialsGrant {
  return async ({ id: clientId, version, scopes: registered }, { scope, audience, resource = audience }, from) => {
    const scopes = scope === undefined ? registered : narrow(registered, scope)
    if (audience !== undefined && audience !== resource) throw new OAuthError('invalid_target', 'audience and resource name different services')
    const target = resource === undefined ? audiences.own : await audiences.find(resource)
    const minted = mintForClient({ clientId, version, scopes, audience: target, now: now() })
    // Shared with its repetitions: a client may take as many tokens as it likes.
    audit.recordRepeatable({ action: 'client_token', outcome: 'success', detail: { clientId, audience: target.name }, ...from })
    return { ...minted, scopes }
  }
}

function narrow (registered: readonly string[], scope: string): string[] {
  const requested = [...new Set(scope.split(' '))]
  if (requested.some(name => !registered.includes(name))) throw new OAuthError('invalid_scope', 'The client is not registered for all of these scopes')
  return requested
}
