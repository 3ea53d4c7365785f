/** The settings of every provider. */
export interface CommonProviderSettings {
  /** The provider's name in the paths of the routes. */
  readonly id: string
  /** The name that users see. */
  readonly label: string
  readonly clientId: string
  readonly clientSecret: string
  readonly scopes: readonly string[]
  readonly keepTokens: boolean
}

/** An OpenID provider, such as Google. */
export interface OpenIdSettings extends CommonProviderSettings {
  readonly kind: 'google' | 'openid'
  readonly issuer: string
  /** Whether its claim `email_verified` is trusted. */
  readonly trustEmail: boolean
  /** The audiences of ID tokens from native SDKs. */
  readonly nativeClientIds: readonly string[]
}

export interface GithubSettings extends CommonProviderSettings {
  readonly kind: 'github'
  readonly baseUrl: string
  readonly apiUrl: string
}

export interface FacebookSettings extends CommonProviderSettings {
  readonly kind: 'facebook'
  readonly baseUrl: string
  readonly graphUrl: string
}

/** A provider that users can sign in with. */
export type ProviderSettings = OpenIdSettings | GithubSettings | FacebookSettings
