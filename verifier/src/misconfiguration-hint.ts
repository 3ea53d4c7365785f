import type { TokenFailure } from './errors.ts'
import { VerifierWarning } from './verifier-events.ts'

/** The refusals that a good token meets where the verifier's options are not the service's. */
const HINTS: Partial<Record<TokenFailure, (options: { issuer: string, audience: string }) => string>> = {
  unknown_key: ({ issuer }) => `are signed with a key that this verifier does not have: secret, keys or jwksUri must be the service's, and the issuer exactly its JWT_ISSUER (here: ${issuer})`,
  wrong_issuer: ({ issuer }) => `are not from the issuer ${issuer}: it must be exactly the service's JWT_ISSUER`,
  wrong_audience: ({ audience }) => `are not for the audience ${audience}: it must be the one that the service mints these tokens for`,
  not_yet_valid: () => 'are from the future: the clock of this machine is behind'
}

/**
 * Says what is probably wrong where a verifier refuses everything from the beginning, once for each reason. A verifier
 * that has found one good token has the right options, and says nothing.
 *
 * @returns what is told of each refusal while no token was found good
 */
export function createMisconfigurationHint (options: { issuer: string, audience: string }, warn: (warning: VerifierWarning) => void): (reason: TokenFailure) => void {
  const given = new Set<TokenFailure>()

  return reason => {
    const hint = HINTS[reason]
    if (hint === undefined || given.has(reason)) return
    given.add(reason)
    warn(new VerifierWarning('settings', `No token was found good yet, and those that come ${hint(options)}`))
  }
}
