import type { Audiences } from '../tokens/audiences.ts'
import type { VerifiedToken } from '../tokens/verify-any-token.ts'
import type { AuthenticatedClient } from './client-authentication.ts'
import type { InspectQuietly } from './inspect-quietly.ts'

/** Tells a client what a token says; `undefined` for one that is not good, or is for somebody else (RFC 7662 §2.2). */
export type Introspect = (token: string, client: AuthenticatedClient) => Promise<VerifiedToken | undefined>

export interface IntrospectionDeps {
  audiences: Pick<Audiences, 'find'>
  inspect: InspectQuietly
}

export function createIntrospect ({ audiences, inspect }: IntrospectionDeps): Introspect {
  return async (token, client) => inspect(token, await audiences.find(client.audience))
}
