import type { AuditStore } from '../audit/store.ts'
import type { ClientInfo } from '../http/client-info.ts'
import type { MintedToken } from '../tokens/mint-access-token.ts'
import type { Tokens } from '../tokens/compose.ts'
import type { AuthenticatedClient } from './client-authentication.ts'
import { OAuthError } from './oauth-error.ts'

/** What a client asks for. */
export interface TokenRequest {
  /** Separated by spaces; everything that the client is registered for where it is left out. */
  scope?: string | undefined
  /** Whom the token is for; this service where it is left out. */
  audience?: string | undefined
  /** Another name for the same (RFC 8707). */
  resource?: string | undefined
}

/** Gives a client a token of its own. @throws OAuthError, Problem `unknown_audience` */
export type ClientCredentialsGrant = (client: AuthenticatedClient, request: TokenRequest, from: ClientInfo) => Promise<MintedToken & { scopes: readonly string[] }>

export interface ClientCredentialsGrantDeps {
  tokens: Pick<Tokens, 'audiences' | 'mintForClient'>
  audit: AuditStore
  /** The database's clock, Unix seconds. */
  now (): number
}

export function createClientCredentialsGrant ({ tokens: { audiences, mintForClient }, audit, now }: ClientCredentialsGrantDeps): ClientCredentialsGrant {
  return async ({ id: clientId, scopes: registered }, { scope, audience, resource = audience }, from) => {
    const scopes = scope === undefined ? registered : narrow(registered, scope)
    if (audience !== undefined && audience !== resource) throw new OAuthError('invalid_target', 'audience and resource name two services')
    const target = resource === undefined ? audiences.own : await audiences.find(resource)
    const minted = mintForClient({ clientId, scopes, audience: target, now: now() })
    await audit.record({ action: 'client_token', outcome: 'success', detail: { clientId, audience: target.name }, ...from })
    return { ...minted, scopes }
  }
}

function narrow (registered: readonly string[], scope: string): string[] {
  const asked = [...new Set(scope.split(' '))]
  if (asked.some(name => !registered.includes(name))) throw new OAuthError('invalid_scope', 'The client is not registered for all of these scopes')
  return asked
}
