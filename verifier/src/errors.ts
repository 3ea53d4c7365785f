/**
 * Why a token was refused. For logs and counters: clients are told `invalid_token` and nothing more (RFC 6750 §3.1).
 * `stale` and `keys_unknown` do not mean that the token is bad: it cannot be decided yet.
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
  /** For the response: `invalid_token` (401), or `unavailable` (503) if it cannot be decided yet. */
  readonly code: 'invalid_token' | 'unavailable'
  readonly reason: TokenFailure

  constructor (reason: TokenFailure) {
    super(`The token was refused: ${reason}`)
    this.code = reason === 'stale' || reason === 'keys_unknown' ? 'unavailable' : 'invalid_token'
    this.reason = reason
  }
}

/** @throws InvalidToken without a stack: a hostile client can cause thousands of refusals, and a stack is expensive */
export function refuse (reason: TokenFailure): never {
  const limit = Error.stackTraceLimit
  Error.stackTraceLimit = 0
  try {
    throw new InvalidToken(reason)
  } finally {
    Error.stackTraceLimit = limit
  }
}

/** What a warning is about. */
export type WarningCode =
  /** Every token is refused, for a reason that lies in the options. */
  | 'settings'
  | 'feed_lost'
  /** The service refuses its feed to these credentials. */
  | 'feed_refused'
  | 'jwks_failed'
  /** The JWK set has no usable key: the service signs with a shared secret, or removed its last public key. */
  | 'jwks_empty'
  | 'introspection_failed'
  /** The clock of this machine is off. Repeated once a minute while it is. */
  | 'clock'

/** A problem that an operator should know about. The verifier continues. */
export class VerifierWarning extends Error {
  override readonly name = 'CountersignWarning'
  readonly code: WarningCode

  constructor (code: WarningCode, message: string, cause?: Error) {
    super(cause === undefined ? message : `${message}: ${cause.message || String((cause as NodeJS.ErrnoException).code)}`, { cause })
    this.code = code
  }
}
