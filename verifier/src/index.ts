/**
 * Verifies access tokens, in whatever framework.
 *
 * @module countersign-verifier
 */
export { createVerifier } from './verifier.ts'
export type { Verifier, VerifyOptions } from './types.ts'
export type { TokenOptions, VerifierOptions } from './options/verifier-options.ts'
export type { FeedOptions } from './options/feed-options.ts'
export type { ClientCredentials } from './net/client-authorization.ts'
export type { Jwks } from './jwks/read-jwks.ts'
export type { PublicJwk } from './public-key.ts'
export type { OnStale, StalenessPolicy } from './staleness.ts'
export type { VerifierCounters } from './verifier-counters.ts'
export { VerifierWarning, type VerifierEvents, type WarningCode } from './verifier-events.ts'
export type { Revocation } from './revocation-set.ts'
export { InvalidToken, type TokenFailure } from './errors.ts'
export { ROLES, type ClientPrincipal, type Credential, type Principal, type Role, type TokenCredential } from './principal.ts'
