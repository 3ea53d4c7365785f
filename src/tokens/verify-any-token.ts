import { InvalidToken, ROLES } from 'countersign-verifier'
import { checkClaims, checkClientClaims, DEFAULT_CLOCK_TOLERANCE, verifySignature, revocableClient, type AccessTokenClaims, type ClientTokenClaims, type Revocable, type RevocationSet } from 'countersign-verifier/internal'
import type { TokenAudience } from './audiences.ts'
import type { Seal } from './seal.ts'

/** What is asked at every verification. */
export interface Revoked {
  set: RevocationSet
  /** @throws Problem 503 when what is known of revocations is too old to answer by */
  assertFresh (): void
  /** The database's clock, Unix seconds: the one that tokens are minted by. */
  now (): number
}

/** What a good token says, and of whom. */
export type VerifiedToken =
  | { readonly of: 'user', readonly claims: AccessTokenClaims }
  | { readonly of: 'client', readonly claims: ClientTokenClaims }

/** Reads any access token of an audience, a user's or a client's. @throws InvalidToken */
export type VerifyAnyToken = (token: string, audience: TokenAudience) => VerifiedToken

export interface VerifyAnyTokenDeps {
  issuer: string
  seal: Pick<Seal, 'isSealed'>
  revoked: Revoked
}

export function createVerifyAnyToken ({ issuer, seal, revoked }: VerifyAnyTokenDeps): VerifyAnyToken {
  return (token, audience) => {
    const now = revoked.now()
    const inspected = inspect(token, audience, now)
    if (!(now < inspected.claims.exp + DEFAULT_CLOCK_TOLERANCE)) throw new InvalidToken('expired')
    if (revoked.set.has(toRevocable(inspected))) throw new InvalidToken('revoked')
    revoked.assertFresh()
    return inspected
  }

  function inspect (token: string, { name, keys }: TokenAudience, now: number): VerifiedToken {
    const { payload } = verifySignature(token, keys, seal.isSealed)
    const policy = { issuer, audience: name, roles: ROLES, clockTolerance: DEFAULT_CLOCK_TOLERANCE }
    if (isOfClient(payload)) return { of: 'client', claims: checkClientClaims(payload, policy, now) }
    return { of: 'user', claims: checkClaims(payload, policy, now) }
  }
}

function toRevocable (inspected: VerifiedToken): Revocable {
  if (inspected.of === 'client') return revocableClient(inspected.claims)
  const { sid: sessionId, sub: subject, ver: version = 0 } = inspected.claims
  return { sessionId, subject, version }
}

// Only these are their own client: the client_id of a user's token is never the user's id.
function isOfClient (payload: unknown): boolean {
  if (typeof payload !== 'object' || payload === null) return false
  const { sub, client_id: clientId } = payload as Readonly<Record<string, unknown>>
  return sub === clientId
}
