import type { Profile } from './profile.ts'

/** The tokens of a token response. */
export interface ProviderTokens {
  accessToken: string
  refreshToken: string | null
  /** The lifetime of the access token in seconds; `null` if the provider does not tell. */
  expiresIn: number | null
  scope: string | null
}

/** What a provider returned about a user. */
export interface ProviderResult {
  profile: Profile
  /** Absent with an ID token of a native SDK. */
  tokens?: ProviderTokens
}

/** The parameters of an authorization request. */
export interface AuthorizationRequest {
  state: string
  nonce: string
  /** S256 (RFC 7636). */
  codeChallenge: string
}

/** What the callback is checked against. */
export interface ExpectedCallback {
  state: string
  nonce: string
  codeVerifier: string
}

/** An identity provider. Every failure is a Problem: `provider_unavailable`, `provider_error`, or what the user did. */
export interface Provider {
  readonly id: string
  readonly label: string
  /** Whether it is trusted when it says that an e-mail address is verified. */
  readonly trustsEmail: boolean
  /** Whether its tokens are stored. */
  readonly keepsTokens: boolean
  /** The URL of an authorization request. */
  authorizationUrl (request: AuthorizationRequest): Promise<URL>
  /** Checks the callback, and exchanges its code. @param query of the callback, exactly as it was sent */
  redeem (query: URLSearchParams, expected: ExpectedCallback): Promise<ProviderResult>
  /** @param owner whose tokens the new ones must be. @throws Problem 409 `reauthorization_required` when the provider refuses */
  refresh (refreshToken: string, owner: Pick<Profile, 'issuer' | 'subject'>): Promise<ProviderTokens>
  /** Verifies an ID token of a native SDK. Absent if the provider has no ID tokens, or no native client is configured. */
  readonly readIdToken?: ReadIdToken
}

/**
 * @param nonce the expected `nonce` claim
 * @returns the profile, and for how many seconds the use of the token has to be remembered
 * @throws Problem 401 `invalid_id_token`
 */
export type ReadIdToken = (idToken: string, nonce: string) => Promise<{ profile: Profile, rememberFor: number }>
