import { InvalidToken } from 'countersign-verifier'
import type { InspectedToken } from '../tokens/inspect-token.ts'
import type { Tokens } from '../tokens/tokens.ts'
import type { AuthenticatedClient } from './authenticate-client.ts'

/** Tells a client what a token says; `undefined` for one that is not good, or is for somebody else (RFC 7662 §2.2). */
export type IntrospectToken = (token: string, client: AuthenticatedClient) => Promise<InspectedToken | undefined>

/** What introspection takes. */
export interface IntrospectionParts {
  tokens: Pick<Tokens, 'audiences' | 'inspect'>
  /** Told of each refused token. */
  onRefused (error: InvalidToken): void
}

export function createIntrospectToken ({ tokens: { audiences, inspect }, onRefused }: IntrospectionParts): IntrospectToken {
  return async (token, client) => {
    const audience = await audiences.find(client.audience)
    try {
      return inspect(token, audience)
    } catch (error) {
      if (!(error instanceof InvalidToken)) throw error
      onRefused(error)
      return undefined
    }
  }
}
