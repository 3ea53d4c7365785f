import type { EventEmitter } from 'node:events'
import type { ClientPrincipal, Principal, TokenCredential } from './principal.ts'
import type { StalenessPolicy } from './staleness.ts'
import type { VerifierCounters } from './verifier-counters.ts'
import type { VerifierEvents } from './verifier-events.ts'

/** How one token is verified; what is not said is as the verifier was made. */
export interface VerifyOptions extends Partial<StalenessPolicy> {
  /** What carried the token; the principal says so. Default `bearer`. */
  readonly credential?: TokenCredential
}

/** Verifies the access tokens of one Countersign service for one audience. */
export interface Verifier {
  /**
   * Verifies a user's token: at once, with no I/O. Where `onStale` is `introspect`, and what is known of revocations is
   * too old, it cannot ask and refuses (`stale`); `authenticate` asks.
   *
   * @param token a compact JWS
   * @throws InvalidToken; its `reason` is for logs. `stale` and `keys_unknown` mean: not now
   */
  verify (token: string, options?: VerifyOptions): Principal
  /**
   * Verifies a user's token: at once too wherever that decides, and else by asking the service, for a key that is new or
   * about a token nobody can speak for.
   *
   * @throws InvalidToken at once, or as a rejection
   */
  authenticate (token: string, options?: VerifyOptions): Principal | Promise<Principal>
  /** Verifies the token that a client got for itself, as `verify` does a user's. Neither passes for the other. @throws InvalidToken */
  verifyClient (token: string, options?: VerifyOptions): ClientPrincipal
  /** The same as `authenticate` does it. @throws InvalidToken */
  authenticateClient (token: string, options?: VerifyOptions): ClientPrincipal | Promise<ClientPrincipal>
  /**
   * Resolves when the JWK set is known and the first `sync` has come, as far as there are such; a service that is down is
   * waited for.
   *
   * @throws the reason of `signal`, or an AbortError where the verifier is closed
   */
  ready (options?: { readonly signal?: AbortSignal }): Promise<void>
  /** Milliseconds since the service last read its ledger of revocations, as far as is known; `Infinity` before the first `sync`, 0 where no feed is followed. */
  staleness (): number
  /** Lets go of the service. What is known stays, and grows stale. */
  close (): void
  /** The policy of this verifier with changes to it, for a route of its own. @throws TypeError where it cannot be kept */
  policy (changes: Partial<StalenessPolicy>): Partial<StalenessPolicy>
  readonly issuer: string
  readonly events: EventEmitter<VerifierEvents>
  readonly counters: Readonly<VerifierCounters>
}
