import { InvalidToken, ROLES } from 'countersign-verifier'
import { checkClaims, checkClientClaims, DEFAULT_CLOCK_TOLERANCE, readSignedToken, revocableClient, type AccessTokenClaims, type ClientTokenClaims, type Revocable, type RevocationSet } from 'countersign-verifier/core'
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
export type InspectedToken =
  | { readonly of: 'user', readonly claims: AccessTokenClaims }
  | { readonly of: 'client', readonly claims: ClientTokenClaims }

/** Reads any access token of an audience, a user's or a client's. @throws InvalidToken */
export type InspectToken = (token: string, audience: TokenAudience) => InspectedToken

/** What inspecting takes. */
export interface InspectionParts {
  issuer: string
  seal: Pick<Seal, 'isSealed'>
  revoked: Revoked
}

export function createInspectToken ({ issuer, seal, revoked }: InspectionParts): InspectToken {
  return (token, audience) => {
    const now = revoked.now()
    const inspected = inspect(token, audience, now)
    if (!(now < inspected.claims.exp + DEFAULT_CLOCK_TOLERANCE)) throw new InvalidToken('expired')
    if (revoked.set.has(toRevocable(inspected))) throw new InvalidToken('revoked')
    revoked.assertFresh()
    return inspected
  }

  function inspect (token: string, { name, keys }: TokenAudience, now: number): InspectedToken {
    const { payload } = readSignedToken(token, keys, seal.isSealed)
    const policy = { issuer, audience: name, roles: ROLES, clockTolerance: DEFAULT_CLOCK_TOLERANCE }
    if (isOfClient(payload)) return { of: 'client', claims: checkClientClaims(payload, policy, now) }
    return { of: 'user', claims: checkClaims(payload, policy, now) }
  }
}

function toRevocable (inspected: InspectedToken): Revocable {
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
