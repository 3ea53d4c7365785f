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
  /** The service serves no public key: it signs with a shared secret, or it has dropped the last one. */
  | 'jwks_empty'
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

/** The events, and how they are told. */
export interface EventSink {
  readonly events: EventEmitter<VerifierEvents>
  /**
   * Tells everybody who listens. What a listener throws is the app's own, and goes where what nobody catches goes: never
   * into what was being done here.
   *
   * @returns whether anybody listens
   */
  tell<Name extends keyof VerifierEvents> (name: Name, ...what: VerifierEvents[Name]): boolean
  warn (warning: VerifierWarning): void
}

export function createEventSink (): EventSink {
  const events = new EventEmitter<VerifierEvents>()
  events.setMaxListeners(0)

  function tell<Name extends keyof VerifierEvents> (name: Name, ...what: VerifierEvents[Name]): boolean {
    const listeners = events.rawListeners(name)
    for (const listen of listeners) {
      try {
        Reflect.apply(listen, events, what)
      } catch (error) {
        queueMicrotask(() => { throw error })
      }
    }
    return listeners.length > 0
  }

  return {
    events,
    tell,
    warn (warning) {
      if (!tell('warning', warning)) process.emitWarning(warning.message, { type: warning.name, code: warning.code })
    }
  }
}
