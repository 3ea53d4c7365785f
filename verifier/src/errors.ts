/**
 * Why a token was refused. `reason` is for logs and counters; clients are told `invalid_token` and nothing more
 * (RFC 6750 §3.1). `stale` and `keys_unknown` say nothing against the token: nobody can say yet whether it is good.
 */
export type TokenFailure =
  | 'too_large'
  | 'malformed'
  | 'wrong_type'
  | 'unknown_key'
  | 'wrong_algorithm'
  | 'critical_extension'
  | 'bad_signature'
  | 'forged'
  | 'invalid_claims'
  | 'wrong_issuer'
  | 'wrong_audience'
  | 'not_yet_valid'
  | 'too_long_lived'
  | 'expired'
  | 'revoked'
  | 'stale'
  | 'keys_unknown'

/** A token that must not be accepted. */
export class InvalidToken extends Error {
  override readonly name = 'InvalidToken'
  /** What a client is told: `unavailable` where nobody can say yet whether the token is good. */
  readonly code: 'invalid_token' | 'unavailable'
  readonly reason: TokenFailure

  constructor (reason: TokenFailure) {
    super(`The token was refused: ${reason}`)
    this.code = reason === 'stale' || reason === 'keys_unknown' ? 'unavailable' : 'invalid_token'
    this.reason = reason
  }
}

// A refusal is an ordinary answer and may come by the thousand from a hostile client: it needs no stack.
export function refuse (reason: TokenFailure): never {
  const limit = Error.stackTraceLimit
  Error.stackTraceLimit = 0
  try {
    throw new InvalidToken(reason)
  } finally {
    Error.stackTraceLimit = limit
  }
}
