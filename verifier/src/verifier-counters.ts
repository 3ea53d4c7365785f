import type { TokenFailure } from './errors.ts'

/** What a verifier has done since it was made. Numbers only grow. */
export interface VerifierCounters {
  /** Tokens found good. */
  accepted: number
  /** Tokens refused, by the reason; reasons that did not occur are missing. */
  readonly refused: Partial<Record<TokenFailure, number>>
  /** Entries of the feed, also those that came again. */
  revocations: number
  syncs: number
  /** Connections to the feed that failed or ended. */
  feedFailures: number
  jwksFetches: number
  jwksFailures: number
  introspections: number
  introspectionFailures: number
}

export function createCounters (): VerifierCounters {
  return {
    accepted: 0,
    refused: {},
    revocations: 0,
    syncs: 0,
    feedFailures: 0,
    jwksFetches: 0,
    jwksFailures: 0,
    introspections: 0,
    introspectionFailures: 0
  }
}
