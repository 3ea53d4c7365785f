import { AsyncLocalStorage } from 'node:async_hooks'
import { ClientSecretBasic, ClientSecretPost, ResponseBodyError, WWWAuthenticateChallengeError, type ClientAuth } from 'openid-client'

/**
 * Client authentication at the token endpoint, by `client_secret_basic` or `client_secret_post`. A client is registered
 * for one of them, and metadata only lists what the server supports. So the likelier one is tried first, then the other,
 * and the one that worked is used from then on. A server that refuses the client has not used up the code (RFC 6749 §5.2).
 *
 * @param onRefused called when both methods were refused
 */
export function createTokenEndpointAuth (clientSecret: string, { onRefused }: { onRefused: (error: unknown) => void }) {
  const basic = ClientSecretBasic(clientSecret)
  const post = ClientSecretPost(clientSecret)
  // The library calls `authenticate` in the middle of a request: the storage says for which attempt.
  const attempts = new AsyncLocalStorage<{ method: ClientAuth | undefined }>()
  let proven: ClientAuth | undefined

  async function runAttempt <T> (attempt: { method: ClientAuth | undefined }, request: () => Promise<T>): Promise<T> {
    const response = await attempts.run(attempt, request)
    proven = attempt.method ?? proven
    return response
  }

  const authenticate: ClientAuth = (server, ...request) => {
    const attempt = attempts.getStore() ?? { method: proven }
    // OpenID Connect Discovery §3: the default is `client_secret_basic`.
    attempt.method ??= server.token_endpoint_auth_methods_supported?.includes('client_secret_basic') ?? true ? basic : post
    attempt.method(server, ...request)
  }

  return {
    authenticate,

    /** Sends a request; if the client is refused, once more with the other method. */
    async withClientAuth <T> (request: () => Promise<T>): Promise<T> {
      const first = { method: proven }
      try {
        return await runAttempt(first, request)
      } catch (error) {
        if (!isClientRefused(error)) throw error
      }
      try {
        return await runAttempt({ method: first.method === post ? basic : post }, request)
      } catch (error) {
        if (isClientRefused(error)) onRefused(error)
        throw error
      }
    }
  }
}

function isClientRefused (error: unknown): boolean {
  if (error instanceof ResponseBodyError) return error.error === 'invalid_client'
  return error instanceof WWWAuthenticateChallengeError && error.status === 401
}
