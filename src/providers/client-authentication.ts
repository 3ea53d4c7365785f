import { ClientSecretBasic, ClientSecretPost, ResponseBodyError, WWWAuthenticateChallengeError, type ClientAuth } from 'openid-client'

/** How a client shows its secret to a token endpoint. */
export interface ClientAuthentication {
  readonly authenticate: ClientAuth
  /** Makes a request; where the client was not recognised, once more in the other way. */
  attempt<T> (request: () => Promise<T>): Promise<T>
}

/**
 * A client is registered for one way of sending its secret, in the header or in the body, and a server's metadata only
 * tells which ways it knows. So the likelier is tried first, and what was found to work is kept to. A server that does
 * not recognise the client has not looked at its code (RFC 6749 §5.2).
 */
export function createClientAuthentication (clientSecret: string): ClientAuthentication {
  const basic = ClientSecretBasic(clientSecret)
  const post = ClientSecretPost(clientSecret)
  let likelier: ClientAuth | undefined
  let way: ClientAuth | undefined

  return {
    authenticate (server, ...request) {
      // OpenID Connect Discovery §3: without a list, it is the header.
      likelier ??= server.token_endpoint_auth_methods_supported?.includes('client_secret_basic') ?? true ? basic : post
      way ??= likelier
      way(server, ...request)
    },

    async attempt (request) {
      const before = way
      try {
        return await request()
      } catch (error) {
        if (!isUnrecognised(error)) throw error
        // Unless another request, which began at the same time, has found it out meanwhile.
        if (way === (before ?? likelier)) way = way === basic ? post : basic
        return await request()
      }
    }
  }
}

function isUnrecognised (error: unknown): boolean {
  if (error instanceof ResponseBodyError) return error.error === 'invalid_client'
  return error instanceof WWWAuthenticateChallengeError && error.status === 401
}
