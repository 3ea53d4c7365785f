/** What is said of every provider. */
export interface CommonProviderSettings {
  /** As it stands in the paths of the routes. */
  readonly id: string
  /** What people know it by. */
  readonly label: string
  readonly clientId: string
  readonly clientSecret: string
  readonly scopes: readonly string[]
  readonly keepTokens: boolean
}

/** An OpenID provider, Google among them. */
export interface OpenIdSettings extends CommonProviderSettings {
  readonly kind: 'google' | 'openid'
  readonly issuer: string
  /** Whether its word is taken that an e-mail address is verified. */
  readonly trustEmail: boolean
  /** Whom the ID tokens may be for that apps hand over. */
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

/** One provider that people can sign in with. */
export type ProviderSettings = OpenIdSettings | GithubSettings | FacebookSettings
