import { authorizationCodeGrant, buildAuthorizationUrl, refreshTokenGrant, type Configuration, type TokenEndpointResponse, type TokenEndpointResponseHelpers } from 'openid-client'
import type { ProviderSettings } from '../../config/provider-settings.ts'
import { Problem } from '../../errors.ts'
import { assertIdTokenTimes } from './id-token-times.ts'
import { assertSubject, type Profile } from '../profile.ts'
import { withProviderProblems, isRefusedGrant } from '../provider-problem.ts'
import type { Provider, ProviderTokens, ReadIdToken } from '../provider.ts'

// Seconds: ten years. A longer lifetime makes no sense.
const MAX_LIFE = 315_360_000
const MAX_SCOPE_LENGTH = 4096

/** A successful token response. */
export type TokenResponse = TokenEndpointResponse & TokenEndpointResponseHelpers

/** What distinguishes one provider from the others. */
export interface ProviderDefinition {
  settings: ProviderSettings
  trustsEmail: boolean
  /** Whether it issues ID tokens: then every flow has a nonce. */
  isOpenId: boolean
  /** Additional parameters of the authorization request. */
  parameters?: Readonly<Record<string, string>>
  configuration (): Promise<Configuration>
  /** Sends a request with client authentication. */
  authenticated?: <T>(request: () => Promise<T>) => Promise<T>
  readProfile (configuration: Configuration, tokens: TokenResponse): Promise<Profile>
  readIdToken?: ReadIdToken
}

/**
 * The authorization code flow (RFC 6749 §4.1, RFC 9700, OpenID Connect Core §3.1), the same for every provider: with
 * PKCE by S256, a state, and a nonce where there are ID tokens.
 *
 * @param redirectUri the callback. Each provider has its own, which prevents mix-up attacks also where the provider sends no
 * `iss` (RFC 9700 §4.4.2)
 */
export function createProvider ({ settings, trustsEmail, isOpenId, parameters = {}, configuration, authenticated = request => request(), readProfile, readIdToken }: ProviderDefinition, redirectUri: string): Provider {
  const { id, label, scopes, keepTokens } = settings

  return {
    id,
    label,
    trustsEmail,
    keepsTokens: keepTokens,
    ...readIdToken !== undefined && { readIdToken },

    authorizationUrl: ({ state, nonce, codeChallenge }) => withProviderProblems(async () => buildAuthorizationUrl(await configuration(), {
      redirect_uri: redirectUri,
      scope: scopes.join(' '),
      state,
      ...isOpenId && { nonce },
      code_challenge: codeChallenge,
      code_challenge_method: 'S256',
      ...parameters
    })),

    redeem: (query, { state, nonce, codeVerifier }) => withProviderProblems(async () => {
      const config = await configuration()
      const response = await authenticated(() => authorizationCodeGrant(config, new URL(`${redirectUri}?${query}`), {
        expectedState: state,
        pkceCodeVerifier: codeVerifier,
        ...isOpenId && { expectedNonce: nonce, idTokenExpected: true }
      }))
      assertTimes(response)
      return { profile: assertSubject(await readProfile(config, response)), tokens: readTokens(response) }
    }),

    refresh: (refreshToken, owner) => withProviderProblems(async () => {
      const config = await configuration()
      const response = await authenticated(() => refreshTokenGrant(config, refreshToken)).catch(throwRefusal)
      assertTimes(response)
      assertSameOwner(response, owner)
      return readTokens(response)
    })
  }
}

// What is stored is bounded, whatever the provider sends.
function readTokens (response: TokenResponse): ProviderTokens {
  const { access_token: accessToken, refresh_token: refreshToken = null, scope = '', expires_in: life } = response
  const expiresIn = life === undefined || life > MAX_LIFE ? life : response.expiresIn()
  return {
    accessToken,
    refreshToken,
    expiresIn: expiresIn === undefined ? null : Math.min(expiresIn, MAX_LIFE),
    scope: scope === '' || scope.length > MAX_SCOPE_LENGTH || /[\p{Cc}\p{Surrogate}]/u.test(scope) ? null : scope
  }
}

function assertTimes (response: TokenResponse): void {
  const claims = response.claims()
  if (claims !== undefined) assertIdTokenTimes(claims)
}

// OpenID Connect Core §12.2: an ID token in a refresh response has the same issuer and subject.
function assertSameOwner (response: TokenResponse, { issuer, subject }: Pick<Profile, 'issuer' | 'subject'>): void {
  const claims = response.claims()
  if (claims !== undefined && (claims.iss !== issuer || claims.sub !== subject)) throw new Error('The refreshed tokens belong to another subject')
}

function throwRefusal (error: unknown): never {
  throw isRefusedGrant(error) ? new Problem('reauthorization_required') : error
}
