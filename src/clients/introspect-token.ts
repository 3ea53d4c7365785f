import type { Audiences } from '../tokens/audiences.ts'
import type { InspectedToken } from '../tokens/inspect-token.ts'
import type { AuthenticatedClient } from './authenticate-client.ts'
import type { InspectQuietly } from './inspect-quietly.ts'

/** Tells a client what a token says; `undefined` for one that is not good, or is for somebody else (RFC 7662 §2.2). */
export type IntrospectToken = (token: string, client: AuthenticatedClient) => Promise<InspectedToken | undefined>

/** What introspection takes. */
export interface IntrospectionParts {
  audiences: Pick<Audiences, 'find'>
  inspect: InspectQuietly
}

export function createIntrospectToken ({ audiences, inspect }: IntrospectionParts): IntrospectToken {
  return async (token, client) => inspect(token, await audiences.find(client.audience))
}
