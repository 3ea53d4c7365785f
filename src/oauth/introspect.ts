import { InvalidToken } from 'countersign-verifier'
import type { Audiences, TokenAudience } from '../tokens/audiences.ts'
import type { VerifiedToken, VerifyAnyToken } from '../tokens/verify-any-token.ts'
import type { AuthenticatedClient } from './client-authentication.ts'

/** Verifies any access token of an audience, a user's or a client's; `undefined` for a refused one. */
export type InspectToken = (token: string, audience: TokenAudience) => VerifiedToken | undefined

/**
 * For the endpoints that do not say why a token is refused (RFC 7662 §2.2, RFC 7009 §2.2).
 *
 * @param onRefused called for each refused token
 */
export function createInspectToken (verify: VerifyAnyToken, onRefused: (error: InvalidToken) => void): InspectToken {
  return (token, audience) => {
    try {
      return verify(token, audience)
    } catch (error) {
      if (!(error instanceof InvalidToken)) throw error
      onRefused(error)
      return undefined
    }
  }
}

/** Returns the content of a token; `undefined` for one that is not active, or is for another audience than the client's (RFC 7662 §2.2). */
export type Introspect = (token: string, client: Pick<AuthenticatedClient, 'audience'>) => Promise<VerifiedToken | undefined>

export function createIntrospect ({ audiences, inspect }: { audiences: Pick<Audiences, 'find'>, inspect: InspectToken }): Introspect {
  return async (token, { audience }) => inspect(token, await audiences.find(audience))
}
