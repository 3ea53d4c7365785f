/** What the service itself is built of, beside the public entry. Nothing here is promised to anybody else. */
export { createTokenVerifier, type TokenVerifier, type TokenVerifierOptions } from './token-verifier.ts'
export type { VerificationKey } from './verification-key.ts'
export { createHmacKey } from './hmac-key.ts'
export { createHmacSha256, type HmacSha256 } from './hmac-sha256.ts'
export { createRevocationSet, type Revocable, type Revocation, type RevocationSet } from './revocation-set.ts'
export type { AccessTokenClaims } from './claims.ts'
export { DEFAULT_CLOCK_TOLERANCE, MAX_ACCESS_TOKEN_LIFE, MAX_TOKEN_BYTES } from './limits.ts'
export { isSafeMethod, isSameSite, type RequestSource } from './cross-site.ts'
