import type { EventEmitter } from 'node:events'
import type { TokenFailure, VerifierWarning } from './errors.ts'

/** The roles of a Countersign service. */
export type Role = 'user' | 'admin'

/** How a request authenticated: by an Authorization header, the access cookie, or a stateful session's cookie. */
export type Credential = 'bearer' | 'cookie' | 'session'

/** How a request can carry a token. */
export type TokenCredential = Exclude<Credential, 'session'>

/** The authenticated user. Deeply frozen: one object is shared between requests. */
export interface Principal<R extends string = Role> {
  /** The user's id: the token's `sub`. */
  readonly id: string
  /** The user's address. It identifies the user only if `emailVerified` is true; otherwise it is only a claim. */
  readonly email: string | null
  readonly emailVerified: boolean
  readonly role: R
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

/** Another service that authenticated as itself, not on behalf of a user. Deeply frozen. */
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

/**
 * What happens to an otherwise valid token while revocations are stale. `accept`: it passes, because availability matters
 * more than a late logout. `reject`: it is refused until the feed is back. `introspect`: the service is asked about it.
 */
export type OnStale = 'accept' | 'reject' | 'introspect'

/** When revocations count as stale, and what happens then. */
export interface StalenessPolicy {
  /** Seconds since the service last read its ledger, as far as this verifier knows. */
  readonly maxStaleness: number
  readonly onStale: OnStale
}

/** Overrides for one token; the defaults are the verifier's own. */
export interface VerifyOptions extends Partial<StalenessPolicy> {
  /** How the token was sent; copied to the principal. Default `bearer`. */
  readonly credential?: TokenCredential
}

/** Verifies the access tokens of one Countersign service for one audience. */
export interface Verifier<R extends string = Role> {
  /**
   * Verifies a user's token without I/O.
   *
   * Without I/O an unknown key cannot be fetched (`unknown_key`; the fetch starts in the background) and the service cannot be
   * asked about a token while revocations are stale (`stale`): such tokens are refused. `authenticate` waits instead.
   *
   * @param token a compact JWS
   * @throws InvalidToken with a `reason` for logs; if its `code` is `unavailable`, the same token may pass later
   */
  verify (token: string, options?: VerifyOptions): Principal<R>
  /**
   * Verifies a user's token, and does the I/O that takes: it fetches keys for an unknown `kid`, and with `onStale:
   * "introspect"` asks the service while revocations are stale.
   *
   * @param token a compact JWS
   * @returns a promise that rejects with InvalidToken
   */
  authenticate (token: string, options?: VerifyOptions): Promise<Principal<R>>
  /**
   * `verify` for guards that want to avoid a promise per request: refuses only what `authenticate` would refuse too.
   *
   * ```ts
   * const principal = verifier.verifyLocally(token) ?? await verifier.authenticate(token)
   * ```
   *
   * @returns `undefined` if only `authenticate` can decide
   * @throws InvalidToken
   */
  verifyLocally (token: string, options?: VerifyOptions): Principal<R> | undefined
  /** `verify` for a token that a client got for itself (RFC 6749 §4.4). A user's token is never accepted as one, nor the reverse. @throws InvalidToken */
  verifyClient (token: string, options?: VerifyOptions): ClientPrincipal
  /** `authenticate` for a client's own token. @returns a promise that rejects with InvalidToken */
  authenticateClient (token: string, options?: VerifyOptions): Promise<ClientPrincipal>
  /** `verifyLocally` for a client's own token. @throws InvalidToken */
  verifyClientLocally (token: string, options?: VerifyOptions): ClientPrincipal | undefined
  /**
   * Resolves when keys are known and the first `sync` has arrived, as far as this verifier fetches and follows. Waits for a
   * service that is down.
   *
   * @throws the reason of `signal`, or an AbortError if the verifier is closed
   */
  ready (options?: { readonly signal?: AbortSignal }): Promise<void>
  /** Milliseconds since the service last read its ledger of revocations, as far as is known; `Infinity` before the first `sync`, 0 without a feed. */
  staleness (): number
  /** Stops fetching and following. Keys and revocations stay in memory, and become stale. */
  close (): void
  /** This verifier's staleness policy with changes, for use as options. @throws TypeError if the result is not valid, or there is no feed */
  policy (changes: Partial<StalenessPolicy>): Partial<StalenessPolicy>
  readonly issuer: string
  readonly events: EventEmitter<VerifierEvents>
  readonly counters: Readonly<VerifierCounters>
}

/** Which tokens are valid, and the keys to verify them: at least one of `secret`, `keys` and `jwksUri` is required. */
export interface TokenOptions<R extends string = Role> {
  /** The exact `iss` of every token: the service's `JWT_ISSUER`, by default its `PUBLIC_URL`. */
  readonly issuer: string
  /** The exact `aud` of every token: the service's `JWT_AUDIENCE`, or the audience that this service was registered with. */
  readonly audience: string
  /**
   * The service's `JWT_SECRET`, or the audience key that `countersign clients create` printed: a string of at least 32 bytes.
   * Several, as a comma-separated string or an array, form a ring: a token signed with any of them is valid.
   */
  readonly secret?: string | readonly string[]
  /** Public keys, as a JWK set or its list. */
  readonly keys?: readonly PublicJwk[] | Jwks
  /** The URL of the service's JWK set, for example `https://auth.example.com/.well-known/jwks.json`. */
  readonly jwksUri?: string | URL
  /** The roles that a token may carry. Default `user` and `admin`. */
  readonly roles?: readonly R[]
  /** Seconds that clocks may differ, for `exp` and `nbf`; at most 60, default 5. An `iat` may be 60 s ahead in any case. */
  readonly clockTolerance?: number
  /** Bytes for the cache of verified tokens; 0 turns it off. Default 16 MiB. */
  readonly cacheSize?: number
  /** The time in milliseconds since 1970. Default `Date.now`. */
  readonly clock?: () => number
}

/** The options of `createVerifier`. With `revocations`, both `maxStaleness` and `onStale` are required. */
export type VerifierOptions<R extends string = Role> = TokenOptions<R> & (
  | StalenessPolicy & { readonly revocations: FeedOptions }
  | { readonly revocations?: undefined, readonly maxStaleness?: undefined, readonly onStale?: undefined }
)

/** How this verifier authenticates to the service: as an OAuth client with its secret, or with an access token. */
export type ClientCredentials =
  | { readonly clientId: string, readonly clientSecret: string, readonly token?: undefined }
  | { readonly token: () => string | Promise<string>, readonly clientId?: undefined, readonly clientSecret?: undefined }

/** The feed of revocations to follow. */
export type FeedOptions = ClientCredentials & {
  /** The service's feed, for example `https://auth.example.com/revocations`. */
  readonly url: string | URL
  /** The introspection endpoint for `onStale: "introspect"`. Default: `oauth/introspect`, relative to the feed. */
  readonly introspectionUrl?: string | URL
}

/** A public key (RFC 7517): Ed25519, P-256 or RSA. */
export interface PublicJwk {
  readonly kty: string
  readonly kid?: string
  readonly alg?: string
  readonly use?: string
  readonly key_ops?: readonly string[]
  readonly [member: string]: unknown
}

/** A set of public keys (RFC 7517 §5). */
export interface Jwks {
  readonly keys: readonly PublicJwk[]
}

/** One revocation. `expiresAt` is Unix seconds: no token that the entry applies to lives longer. */
export type Revocation =
  | { kind: 'session', id: string, expiresAt: number }
  | { kind: 'user', id: string, minVersion: number, expiresAt: number }
  /** Without `minVersion` all tokens of the client, whenever they were issued: it was removed. */
  | { kind: 'client', id: string, minVersion?: number, expiresAt: number }

/** The events of a verifier, and their arguments. */
export interface VerifierEvents {
  /** Something was revoked. Its tokens are refused already. */
  revocation: [revocation: Revocation]
  /** The service confirmed that it has sent all revocations. @param ageMs milliseconds since it read its ledger */
  sync: [ageMs: number]
  /** The last sync is older than `maxStaleness`. */
  stale: []
  /** It is recent enough again. */
  fresh: []
  /** The JWK set was fetched for the first time, or has changed. */
  keys: [kids: readonly string[]]
  /** Without a listener, it is emitted by `process.emitWarning`. */
  warning: [warning: VerifierWarning]
}

/** What a verifier has done since it was created. Numbers only grow. */
export interface VerifierCounters {
  /** Accepted tokens. */
  accepted: number
  /** Refused tokens by reason; a reason that has not occurred is missing. */
  readonly refused: Partial<Record<TokenFailure, number>>
  /** Revocations received, repeated ones included. */
  revocations: number
  syncs: number
  /** Connections to the feed that failed or ended. */
  feedFailures: number
  jwksFetches: number
  jwksFailures: number
  introspections: number
  introspectionFailures: number
}
