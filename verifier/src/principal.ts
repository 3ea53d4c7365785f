/** The roles an account can have. */
export const ROLES = ['user', 'admin'] as const

export type Role = typeof ROLES[number]

/** What carried the proof of identity: an Authorization header, the access cookie, or a stateful session's cookie. */
export type Credential = 'bearer' | 'cookie' | 'session'

/** What can carry a token. */
export type TokenCredential = Exclude<Credential, 'session'>

/** Who is asking. Frozen through and through: it is shared between requests. */
export interface Principal {
  /** The subject: the user's id. */
  readonly id: string
  /** An address is an identity only where `emailVerified` is true; otherwise it is a claim. */
  readonly email: string | null
  readonly emailVerified: boolean
  readonly role: Role
  readonly sessionId: string
  /** The OAuth client that the token was issued to. */
  readonly clientId: string | null
  readonly scopes: readonly string[]
  /** The token's `jti`; `null` for a stateful session. */
  readonly tokenId: string | null
  /** ISO 8601, UTC. */
  readonly issuedAt: string
  /** ISO 8601, UTC. */
  readonly expiresAt: string
  readonly credential: Credential
}

/** Another service, asking for itself and not for a user. Frozen. */
export interface ClientPrincipal {
  /** The client's id. */
  readonly id: string
  readonly scopes: readonly string[]
  /** The token's `jti`. */
  readonly tokenId: string
  /** ISO 8601, UTC. */
  readonly issuedAt: string
  /** ISO 8601, UTC. */
  readonly expiresAt: string
}
