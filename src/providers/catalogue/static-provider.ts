import type { Static, TSchema } from 'typebox'
import { Value } from 'typebox/value'
import { allowInsecureRequests, ClientSecretPost, Configuration, customFetch, fetchProtectedResource, type CustomFetch } from 'openid-client'
import { PROVIDER_TIMEOUT } from '../provider-fetch.ts'

/** An OAuth server without discovery, as its documentation describes it. */
export interface StaticProvider {
  issuer: string
  authorizationEndpoint: string
  tokenEndpoint: string
  clientId: string
  clientSecret: string
  fetch: CustomFetch
}

export function createStaticProvider ({ issuer, authorizationEndpoint, tokenEndpoint, clientId, clientSecret, fetch }: StaticProvider): Configuration {
  const server = { issuer, authorization_endpoint: authorizationEndpoint, token_endpoint: tokenEndpoint }
  const configuration = new Configuration(server, clientId, clientSecret, ClientSecretPost(clientSecret))
  configuration.timeout = PROVIDER_TIMEOUT
  configuration[customFetch] = fetch
  if (issuer.startsWith('http:')) allowInsecureRequests(configuration)
  return configuration
}

/** Requests an API with a user's access token. @returns the body of a 200 response. @throws Error for another status or an invalid body */
export async function requestApi<Schema extends TSchema> (configuration: Configuration, accessToken: string, url: string, schema: Schema, headers: Readonly<Record<string, string>> = {}): Promise<Static<Schema>> {
  const response = await fetchProtectedResource(configuration, accessToken, new URL(url), 'GET', undefined, new Headers({ accept: 'application/json', ...headers }))
  if (response.status !== 200) throw new Error(`${new URL(url).pathname} answered ${response.status}`)
  const body: unknown = await response.json()
  if (!Value.Check(schema, body)) throw new Error(`${new URL(url).pathname} returned an invalid body`)
  return body
}
