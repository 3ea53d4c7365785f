import { Problem } from '../../errors.ts'

/** Why a callback, or the continuation of linking, belongs to no flow. For the log: the browser is told `invalid_state`. */
export type StateFailure =
  /** This browser did not start the flow, or did so at another origin, or has forgotten it for a sixth. */
  | 'no cookie'
  | 'too old'
  /** By a clock that was ahead. */
  | 'started in the future'
  | 'used'
  | 'another provider'
  | 'redirect target not allowed any more'
  /** The ticket by which an app continues in the browser: invalid, too old, or for another provider. */
  | 'link ticket'

export class InvalidState extends Problem {
  readonly reason: StateFailure

  constructor (reason: StateFailure) {
    super('invalid_state')
    this.reason = reason
  }
}
