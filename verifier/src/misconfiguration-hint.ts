import { VerifierWarning, type TokenFailure } from './errors.ts'

interface Options {
  readonly issuer: string
  readonly audience: string
}

/** The refusals of valid tokens that wrong options cause. */
const HINTS: Partial<Record<TokenFailure, (options: Options) => string>> = {
  unknown_key: ({ issuer }) => `are signed with a key that this verifier does not have: secret, keys or jwksUri must be the service's, and the issuer exactly its JWT_ISSUER (here: ${issuer})`,
  wrong_issuer: ({ issuer }) => `are not from the issuer ${issuer}: it must be exactly the service's JWT_ISSUER`,
  wrong_audience: ({ audience }) => `are not for the audience ${audience}: it must be the one that the service issues these tokens for`,
  not_yet_valid: () => 'are from the future: the clock of this machine is behind'
}

/**
 * Warns of probably wrong options when every token is refused from the start, once for each reason.
 *
 * @returns what to call for each refusal, as long as no token was accepted: one accepted token shows that the options are right
 */
export function createMisconfigurationHint (options: Options, warn: (warning: VerifierWarning) => void): (reason: TokenFailure) => void {
  const warned = new Set<TokenFailure>()

  return reason => {
    const hint = HINTS[reason]
    if (hint === undefined || warned.has(reason)) return
    warned.add(reason)
    warn(new VerifierWarning('settings', `No token was accepted yet, and the refused ones ${hint(options)}`))
  }
}
