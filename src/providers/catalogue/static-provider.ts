import type { Static, TSchema } from 'typebox'
import { Value } from 'typebox/value'
import { allowInsecureRequests, ClientSecretPost, Configuration, customFetch, fetchProtectedResource, type CustomFetch } from 'openid-client'
import { PROVIDER_TIMEOUT } from '../provider-fetch.ts'

/** An OAuth server without metadata: what its documentation says of it. */
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

/** Asks an API in a user's name. @returns what it answers with status 200, in the form that it must have */
export async function askApi<Form extends TSchema> (configuration: Configuration, accessToken: string, url: string, form: Form, headers: Readonly<Record<string, string>> = {}): Promise<Static<Form>> {
  const response = await fetchProtectedResource(configuration, accessToken, new URL(url), 'GET', undefined, new Headers({ accept: 'application/json', ...headers }))
  if (response.status !== 200) throw new Error(`${new URL(url).pathname} answered ${response.status}`)
  const answer: unknown = await response.json()
  if (!Value.Check(form, answer)) throw new Error(`${new URL(url).pathname} answered something else than it should`)
  return answer
}
