import { AsyncLocalStorage } from 'node:async_hooks'
import { ClientSecretBasic, ClientSecretPost, ResponseBodyError, WWWAuthenticateChallengeError, type ClientAuth } from 'openid-client'

/** How a client shows its secret to a token endpoint. */
export interface TokenEndpointAuth {
  readonly authenticate: ClientAuth
  /** Makes a request; where the client was not recognised, once more in the other way. */
  attempt<T> (request: () => Promise<T>): Promise<T>
}

/**
 * A client is registered for one way of sending its secret, in the header or in the body, and a server's metadata only
 * tells which ways it knows. So the likelier is tried first, and what was found to work is kept to. A server that does
 * not recognise the client has not looked at its code (RFC 6749 §5.2).
 *
 * @param onRefused told when a client is known by neither way
 */
export function createTokenEndpointAuth (clientSecret: string, { onRefused }: { onRefused: (error: unknown) => void }): TokenEndpointAuth {
  const basic = ClientSecretBasic(clientSecret)
  const post = ClientSecretPost(clientSecret)
  // The library asks for the way in the middle of a request: each attempt carries its own there.
  const attempts = new AsyncLocalStorage<{ way: ClientAuth | undefined }>()
  let proven: ClientAuth | undefined

  async function attemptBy <T> (attempt: { way: ClientAuth | undefined }, request: () => Promise<T>): Promise<T> {
    const answer = await attempts.run(attempt, request)
    proven = attempt.way ?? proven
    return answer
  }

  return {
    authenticate (server, ...request) {
      const attempt = attempts.getStore() ?? { way: proven }
      // OpenID Connect Discovery §3: without a list, it is the header.
      attempt.way ??= server.token_endpoint_auth_methods_supported?.includes('client_secret_basic') ?? true ? basic : post
      attempt.way(server, ...request)
    },

    async attempt (request) {
      const first = { way: proven }
      try {
        return await attemptBy(first, request)
      } catch (error) {
        if (!isUnrecognised(error)) throw error
      }
      try {
        return await attemptBy({ way: first.way === post ? basic : post }, request)
      } catch (error) {
        if (isUnrecognised(error)) onRefused(error)
        throw error
      }
    }
  }
}

function isUnrecognised (error: unknown): boolean {
  if (error instanceof ResponseBodyError) return error.error === 'invalid_client'
  return error instanceof WWWAuthenticateChallengeError && error.status === 401
}
