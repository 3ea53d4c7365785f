import { authorizationCodeGrant, buildAuthorizationUrl, refreshTokenGrant, type Configuration, type TokenEndpointResponse, type TokenEndpointResponseHelpers } from 'openid-client'
import type { ProviderSettings } from '../../config/provider-settings.ts'
import { Problem } from '../../errors.ts'
import { withSubject, type Profile } from '../profile.ts'
import { asProvider, isRefusedGrant } from '../provider-problem.ts'
import type { Provider, ProviderTokens, ReadIdToken } from '../provider.ts'

// Seconds: ten years, beyond which no token is meant to live.
const LONGEST_LIFE = 315_360_000
const LONGEST_SCOPE = 4096

/** A good answer of a token endpoint. */
export type TokenAnswer = TokenEndpointResponse & TokenEndpointResponseHelpers

/** What one provider has that others do not. */
export interface ProviderDefinition {
  settings: ProviderSettings
  trustsEmail: boolean
  /** Whether it gives ID tokens; then every flow has a nonce. */
  isOpenId: boolean
  /** Parameters of the authorization request beside those of every flow. */
  parameters?: Readonly<Record<string, string>>
  configuration (): Promise<Configuration>
  /** Makes a request with the client's secret. */
  authenticated?: <T>(request: () => Promise<T>) => Promise<T>
  /** Finds out whom an answer is about. */
  readProfile (configuration: Configuration, answer: TokenAnswer): Promise<Profile>
  readIdToken?: ReadIdToken
}

/**
 * The authorization code flow (RFC 6749 §4.1, RFC 9700, OpenID Connect Core §3.1), the same for every provider: with
 * PKCE by S256, a state, and a nonce where there are ID tokens.
 *
 * @param redirectUri the callback, of which each provider has one of its own: so that an answer of one cannot be passed
 * off as another's, also where neither sends `iss` (RFC 9700 §4.4.2)
 */
export function createProvider ({ settings, trustsEmail, isOpenId, parameters = {}, configuration, authenticated = request => request(), readProfile, readIdToken }: ProviderDefinition, redirectUri: string): Provider {
  const { id, label, scopes, keepTokens } = settings

  return {
    id,
    label,
    trustsEmail,
    keepsTokens: keepTokens,
    ...readIdToken !== undefined && { readIdToken },

    authorizationUrl: ({ state, nonce, codeChallenge }) => asProvider(async () => buildAuthorizationUrl(await configuration(), {
      redirect_uri: redirectUri,
      scope: scopes.join(' '),
      state,
      ...isOpenId && { nonce },
      code_challenge: codeChallenge,
      code_challenge_method: 'S256',
      ...parameters
    })),

    redeem: (query, { state, nonce, codeVerifier }) => asProvider(async () => {
      const config = await configuration()
      const answer = await authenticated(() => authorizationCodeGrant(config, new URL(`${redirectUri}?${query}`), {
        expectedState: state,
        pkceCodeVerifier: codeVerifier,
        ...isOpenId && { expectedNonce: nonce, idTokenExpected: true }
      }))
      return { profile: withSubject(await readProfile(config, answer)), tokens: readTokens(answer) }
    }),

    refresh: (refreshToken, owner) => asProvider(async () => {
      const config = await configuration()
      const answer = await authenticated(() => refreshTokenGrant(config, refreshToken)).catch(sayRefused)
      assertSameOwner(answer, owner)
      return readTokens(answer)
    })
  }
}

// What is kept is bounded, whatever a provider says.
function readTokens (answer: TokenAnswer): ProviderTokens {
  const { access_token: accessToken, refresh_token: refreshToken = null, scope = '', expires_in: life } = answer
  const expiresIn = life === undefined || life > LONGEST_LIFE ? life : answer.expiresIn()
  return {
    accessToken,
    refreshToken,
    expiresIn: expiresIn === undefined ? null : Math.min(expiresIn, LONGEST_LIFE),
    scope: scope === '' || scope.length > LONGEST_SCOPE || /[\p{Cc}\p{Surrogate}]/u.test(scope) ? null : scope
  }
}

// OpenID Connect Core §12.2: an ID token that comes with refreshed tokens is of the same issuer and subject.
function assertSameOwner (answer: TokenAnswer, { issuer, subject }: Pick<Profile, 'issuer' | 'subject'>): void {
  const claims = answer.claims()
  if (claims !== undefined && (claims.iss !== issuer || claims.sub !== subject)) throw new Error('the refreshed tokens are somebody else\'s')
}

function sayRefused (error: unknown): never {
  throw isRefusedGrant(error) ? new Problem('reauthorization_required') : error
}
