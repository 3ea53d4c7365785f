import { VerifierWarning, type TokenFailure } from './errors.ts'

interface Options {
  readonly issuer: string
  readonly audience: string
}

/** The refusals of valid tokens that wrong options cause. */
const HINTS: Partial<Record<TokenFailure, (options: Options) => string>> = {
  unknown_key: ({ issuer }) => `are signed with a key that this verifier does not have: secret, keys or jwksUri must be the service's, and the issuer exactly its JWT_ISSUER (here: ${issuer})`,
  wrong_issuer: ({ issuer }) => `are not from the issuer ${issuer}: it must be exactly the service's JWT_ISSUER`,
  wrong_audience: ({ audience }) => `are not for the audience ${audience}: it must be the one that the service issues these tokens for`
}

/** So many tokens in a row with unknown keys, where others were accepted before, are no accident. */
const UNKNOWN_IN_A_ROW = 10

/**
 * Warns of probably wrong options: when every token is refused from the start, once for each reason; and when keys were right, and
 * the service signs with another by now.
 *
 * @returns what to call for each token that is accepted or refused
 */
export function createMisconfigurationHint (options: Options, warn: (warning: VerifierWarning) => void) {
  const warned = new Set<TokenFailure>()
  let hasAccepted = false
  let unknown = 0

  return {
    accepted (): void {
      hasAccepted = true
      unknown = 0
    },

    refused (reason: TokenFailure): void {
      if (hasAccepted) return countUnknown(reason)
      const hint = HINTS[reason]
      if (hint === undefined || warned.has(reason)) return
      warned.add(reason)
      warn(new VerifierWarning('settings', `No token was accepted yet, and the refused ones ${hint(options)}`))
    }
  }

  function countUnknown (reason: TokenFailure): void {
    if (reason !== 'unknown_key' || ++unknown !== UNKNOWN_IN_A_ROW) return
    warn(new VerifierWarning('settings', `The last ${UNKNOWN_IN_A_ROW} tokens are signed with keys that this verifier does not have, though it accepted others before: when the service's keys were changed, this service was probably forgotten`))
  }
}
