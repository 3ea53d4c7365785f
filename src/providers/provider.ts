import type { Profile } from './profile.ts'

/** What a provider lets us do in somebody's name. */
export interface ProviderTokens {
  accessToken: string
  refreshToken: string | null
  /** Seconds that the access token lives; `null` where the provider does not say. */
  expiresIn: number | null
  scope: string | null
}

/** Somebody who has come back from a provider. */
export interface ProviderResult {
  profile: Profile
  /** Absent where an app brought an ID token. */
  tokens?: ProviderTokens
}

/** What a browser is sent to a provider with. */
export interface AuthorizationRequest {
  state: string
  nonce: string
  /** S256 (RFC 7636). */
  codeChallenge: string
}

/** What must come back of it. */
export interface ExpectedReturn {
  state: string
  nonce: string
  codeVerifier: string
}

/** A provider that people sign in with. Every failure is a Problem: `provider_unavailable`, `provider_error` or what the user did. */
export interface Provider {
  readonly id: string
  readonly label: string
  /** Whether its word is taken that an e-mail address is verified. */
  readonly trustsEmail: boolean
  readonly keepsTokens: boolean
  /** Where the browser goes. */
  authorizationUrl (request: AuthorizationRequest): Promise<URL>
  /** Checks what the browser came back with, and redeems its code. @param query of the callback, as it was sent */
  redeem (query: URLSearchParams, expected: ExpectedReturn): Promise<ProviderResult>
  /** @param owner whose tokens they must be. @throws Problem 409 `reauthorization_required` when the provider refuses */
  refresh (refreshToken: string, owner: Pick<Profile, 'issuer' | 'subject'>): Promise<ProviderTokens>
  /** Reads an ID token that an app brought; absent where the provider has none, or no app is registered. */
  readonly readIdToken?: ReadIdToken
}

/**
 * @param nonce what the token's `nonce` must be
 * @returns whose it is, and the seconds that it is good for
 * @throws Problem 401 `invalid_id_token`
 */
export type ReadIdToken = (idToken: string, nonce: string) => Promise<{ profile: Profile, expiresIn: number }>
