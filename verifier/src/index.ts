/**
 * Verifies access tokens, in whatever framework.
 *
 * @module countersign-verifier
 */
export { createVerifier } from './verifier.ts'
export { InvalidToken, VerifierWarning, type TokenFailure, type WarningCode } from './errors.ts'
export { ROLES } from './claims.ts'
export type * from './types.ts'
