import { allowInsecureRequests, Configuration, customFetch, implicitAuthentication, useIdTokenResponseType, type CustomFetch } from 'openid-client'
import { Problem } from '../../errors.ts'
import { toProfile, withSubject } from '../profile.ts'
import { PROVIDER_TIMEOUT } from '../provider-fetch.ts'
import { asProvider } from '../provider-problem.ts'
import type { ReadIdToken } from '../provider.ts'

// Seconds: one that was used is remembered until it expires.
const LONGEST_LIFE = 86_400

export interface IdTokenDeps {
  configuration (): Promise<Configuration>
  /** Whom they may be for: the apps, never the client of the browser's flow. */
  clientIds: readonly string[]
  fetch: CustomFetch
  isPlain: boolean
}

/**
 * Reads ID tokens that apps got of a provider's SDK: by the checks of OpenID Connect Core §3.2.2.11, which are those
 * for a token that comes from a client's hands.
 */
export function createReadIdToken ({ configuration, clientIds, fetch, isPlain }: IdTokenDeps): ReadIdToken {
  const clients = new WeakMap<Configuration, Map<string, Configuration>>()

  /** The provider as one of the apps sees it, with what is known of its keys. */
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
    if (isPlain) allowInsecureRequests(client)
    return client
  }

  async function read (client: Configuration, idToken: string, nonce: string) {
    const fragment = new URLSearchParams({ id_token: idToken })
    const claims = await implicitAuthentication(client, new URL(`https://app.invalid/#${fragment}`), nonce)
    // Google's token for an Android app is for the app's server, and names the app here.
    if (claims.azp !== undefined && !clientIds.includes(claims.azp)) throw new Error('the ID token was given to another app')
    const expiresIn = claims.exp - Date.now() / 1000
    if (expiresIn > LONGEST_LIFE) throw new Error('the ID token is good for more than a day')
    return { profile: withSubject(toProfile(claims, claims.iss)), expiresIn }
  }

  return async (idToken, nonce) => {
    const clientId = clientIds.find(id => audiences(idToken).includes(id))
    if (clientId === undefined) throw new Problem('invalid_id_token')
    const provider = await asProvider(configuration)
    return await asProvider(() => read(asClient(provider, clientId), idToken, nonce)).catch(sayInvalid)
  }
}

// Not believed: only to know which app's checks to make.
function audiences (idToken: string): unknown[] {
  try {
    const { aud } = JSON.parse(Buffer.from(idToken.split('.')[1] ?? '', 'base64url').toString()) as { aud?: unknown }
    return [aud].flat()
  } catch {
    return []
  }
}

function sayInvalid (error: unknown): never {
  throw error instanceof Problem && error.code === 'provider_error' ? new Problem('invalid_id_token', { cause: error.cause }) : error
}
