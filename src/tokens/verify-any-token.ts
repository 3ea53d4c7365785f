import { ROLES, type Role } from 'countersign-verifier'
import { checkAnyClaims, checkClaims, checkToken, DEFAULT_CLOCK_TOLERANCE, isUserClaims, readToken, type AccessTokenClaims, type ClientTokenClaims, type RevocationSet, type TokenCheck, type TokenClaims } from 'countersign-verifier/internal'
import type { TokenAudience } from './audiences.ts'
import type { Seal } from './seal.ts'

/** The revocations, as verification needs them. */
export interface Revoked {
  set: RevocationSet
  /** @throws Problem 503 if the revocations are too old to decide by */
  assertFresh (): void
  /** The database's clock, Unix seconds: the one that tokens are minted by. */
  now (): number
}

/** The claims of a valid token, and whose token it is. */
export type VerifiedToken =
  | { readonly of: 'user', readonly claims: AccessTokenClaims }
  | { readonly of: 'client', readonly claims: ClientTokenClaims }

/** Verifies any access token of an audience, a user's or a client's. @throws InvalidToken */
export type VerifyAnyToken = (token: string, audience: TokenAudience) => VerifiedToken

export interface VerifyAnyTokenDeps {
  issuer: string
  seal: Pick<Seal, 'isSealed'>
  revoked: Revoked
}

export function createVerifyAnyToken ({ issuer, seal: { isSealed }, revoked: { set: revocations, assertFresh, now } }: VerifyAnyTokenDeps): VerifyAnyToken {
  const shared: Omit<TokenCheck<TokenClaims, Role>, 'audience' | 'keys'> = { issuer, roles: ROLES, clockTolerance: DEFAULT_CLOCK_TOLERANCE, isSealed, revocations, assertFresh, checkClaims: checkAnyClaims }

  return (token, { name: audience, keys }) => {
    const claims = checkToken(token, { ...shared, audience, keys }, now())
    return isUserClaims(claims) ? { of: 'user', claims } : { of: 'client', claims }
  }
}

/**
 * @returns a function that reads the session of a user's genuine token of one audience, whether or not it has expired or was
 * revoked; it throws InvalidToken for any other
 */
export function createReadSessionId ({ issuer, seal: { isSealed }, now }: { issuer: string, seal: Pick<Seal, 'isSealed'>, now: Revoked['now'] }, { name: audience, keys }: TokenAudience): (token: string) => string {
  const check = { issuer, audience, keys, roles: ROLES, clockTolerance: DEFAULT_CLOCK_TOLERANCE, isSealed, checkClaims }
  return token => readToken(token, check, now()).sid
}
