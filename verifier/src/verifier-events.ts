import { EventEmitter } from 'node:events'
import type { Revocation } from './revocation-set.ts'

/** What a warning is about. */
export type WarningCode =
  /** Every token is refused, for a reason that lies in the options. */
  | 'settings'
  | 'feed_lost'
  /** The service does not give its feed to these credentials. */
  | 'feed_refused'
  | 'jwks_failed'
  | 'introspection_failed'

/** Something that an operator should know of. The verifier goes on. */
export class VerifierWarning extends Error {
  override readonly name = 'CountersignWarning'
  readonly code: WarningCode

  constructor (code: WarningCode, message: string, cause?: Error) {
    super(cause === undefined ? message : `${message}: ${cause.message || String((cause as NodeJS.ErrnoException).code)}`, { cause })
    this.code = code
  }
}

/** What a verifier tells, and with what. */
export interface VerifierEvents {
  /** Something was revoked; it is refused already. */
  revocation: [revocation: Revocation]
  /** The service attested that it has sent everything. @param ageMs how long ago, in milliseconds, it had read its ledger */
  sync: [ageMs: number]
  /** What is known of revocations has become older than `maxStaleness`. */
  stale: []
  /** It is new enough again. */
  fresh: []
  /** The JWK set was fetched for the first time, or has changed. */
  keys: [kids: readonly string[]]
  /** Where nobody listens, it goes the way of `process.emitWarning`. */
  warning: [warning: VerifierWarning]
}

/** The events, and how a warning is given. */
export interface Telling {
  readonly events: EventEmitter<VerifierEvents>
  warn (warning: VerifierWarning): void
}

export function createTelling (): Telling {
  const events = new EventEmitter<VerifierEvents>()
  events.setMaxListeners(0)

  return {
    events,
    warn (warning) {
      if (!events.emit('warning', warning)) process.emitWarning(warning.message, { type: warning.name, code: warning.code })
    }
  }
}
