import { allowInsecureRequests, Configuration, customFetch, implicitAuthentication, useIdTokenResponseType, type CustomFetch } from 'openid-client'
import { Problem } from '../../errors.ts'
import { assertIdTokenTimes } from './id-token-times.ts'
import { toProfile, assertSubject } from '../profile.ts'
import { PROVIDER_TIMEOUT } from '../provider-fetch.ts'
import { withProviderProblems } from '../provider-problem.ts'
import type { ReadIdToken } from '../provider.ts'

// Seconds: a used token is remembered until it expires.
const MAX_LIFE = 86_400

export interface IdTokenDeps {
  configuration (): Promise<Configuration>
  /** The accepted audiences: the native clients, never the client of the browser's flow. */
  clientIds: readonly string[]
  fetch: CustomFetch
  allowHttp: boolean
}

/**
 * Verifies ID tokens that apps got from a provider's SDK, by the checks for a token that comes by way of the user agent
 * (OpenID Connect Core §3.2.2.11).
 */
export function createReadIdToken ({ configuration, clientIds, fetch, allowHttp }: IdTokenDeps): ReadIdToken {
  const clients = new WeakMap<Configuration, Map<string, Configuration>>()

  /** The provider as configured for one native client. Its cached keys are reused. */
  function asClient (provider: Configuration, clientId: string): Configuration {
    const known = clients.get(provider) ?? new Map<string, Configuration>()
    clients.set(provider, known)
    const client = known.get(clientId) ?? createClient(provider, clientId)
    known.set(clientId, client)
    return client
  }

  function createClient (provider: Configuration, clientId: string): Configuration {
    const client = new Configuration(provider.serverMetadata(), clientId)
    client.timeout = PROVIDER_TIMEOUT
    client[customFetch] = fetch
    useIdTokenResponseType(client)
    if (allowHttp) allowInsecureRequests(client)
    return client
  }

  async function read (client: Configuration, idToken: string, nonce: string) {
    const fragment = new URLSearchParams({ id_token: idToken })
    const claims = await implicitAuthentication(client, new URL(`https://app.invalid/#${fragment}`), nonce)
    // On Android, Google issues the token for the app's server, and names the app in `azp`.
    if (claims.azp !== undefined && !clientIds.includes(claims.azp)) throw new Error('The ID token was issued to another app')
    assertIdTokenTimes(claims)
    const expiresIn = claims.exp - Date.now() / 1000
    if (expiresIn > MAX_LIFE) throw new Error('The ID token expires in more than a day')
    // The clock of this machine may be ahead of those of others, which accept the token for longer.
    return { profile: assertSubject(toProfile(claims, claims.iss)), rememberFor: Math.max(expiresIn, claims.exp - claims.iat) }
  }

  return async (idToken, nonce) => {
    const clientId = clientIds.find(id => audiences(idToken).includes(id))
    if (clientId === undefined) throw new Problem('invalid_id_token')
    const provider = await withProviderProblems(configuration)
    return await withProviderProblems(() => read(asClient(provider, clientId), idToken, nonce)).catch(throwInvalid)
  }
}

// Not verified yet: only to choose the client to verify it for.
function audiences (idToken: string): unknown[] {
  try {
    const { aud } = JSON.parse(Buffer.from(idToken.split('.')[1] ?? '', 'base64url').toString()) as { aud?: unknown }
    return [aud].flat()
  } catch {
    return []
  }
}

function throwInvalid (error: unknown): never {
  throw error instanceof Problem && error.code === 'provider_error' ? new Problem('invalid_id_token', { cause: error.cause }) : error
}
