import { InvalidToken } from 'countersign-verifier'
import type { TokenAudience } from '../tokens/audiences.ts'
import type { VerifiedToken, VerifyAnyToken } from '../tokens/verify-any-token.ts'

/** Reads any access token of an audience, a user's or a client's; `undefined` for one that is refused. */
export type InspectQuietly = (token: string, audience: TokenAudience) => VerifiedToken | undefined

/**
 * For the endpoints that say nothing of why a token is not good (RFC 7662 §2.2, RFC 7009 §2.2).
 *
 * @param onRefused told of each refused token
 */
export function createInspectQuietly (inspect: VerifyAnyToken, onRefused: (error: InvalidToken) => void): InspectQuietly {
  return (token, audience) => {
    try {
      return inspect(token, audience)
    } catch (error) {
      if (!(error instanceof InvalidToken)) throw error
      onRefused(error)
      return undefined
    }
  }
}
