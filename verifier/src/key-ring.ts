import { VerifierWarning } from './errors.ts'
import { followJwks } from './jwks/follow-jwks.ts'
import type { VerifierSettings } from './options/verifier-options.ts'
import type { VerifierCounters } from './types.ts'
import type { VerificationKey } from './verification-key.ts'
import type { EventSink } from './verifier-events.ts'
import { createWarnOnce } from './warn-once.ts'

export interface KeyRingDeps {
  readonly settings: Pick<VerifierSettings<string>, 'audience' | 'keys' | 'jwksUri'>
  readonly sink: EventSink
  readonly counters: VerifierCounters
  /** Called with all keys whenever they have changed. */
  readonly onChange: (keys: readonly VerificationKey[]) => void
}

/** The keys that a verifier was given, and those that it fetches. */
export interface KeyRing {
  /** Whether the JWK set, if there is one, has been fetched. */
  isComplete (): boolean
  /** Whether there is a JWK set, which may have gained a key. */
  readonly canRefresh: boolean
  /** Fetches the JWK set again, because a token names an unknown key. Never rejects. */
  refresh (): Promise<unknown>
  close (): void
}

export function createKeyRing ({ settings: { audience, keys: given, jwksUri: url }, sink: { emit, warn }, counters, onChange }: KeyRingDeps): KeyRing {
  if (url === undefined) return { isComplete: () => true, canRefresh: false, refresh: async () => {}, close: () => {} }

  const failure = createWarnOnce(warn)
  const jwks = followJwks({
    url,
    audience,
    onKeys (fetched) {
      onChange([...given, ...fetched])
      emit('keys', fetched.map(({ kid }) => kid))
      if (fetched.length === 0) warn(new VerifierWarning('jwks_empty', `The JWK set at ${url} has no Ed25519, P-256 or RSA key for signatures`))
    },
    onFetch: () => { counters.jwksFetches++ },
    onSuccess: failure.reset,
    onFailure (cause) {
      counters.jwksFailures++
      failure.warn(new VerifierWarning('jwks_failed', `Fetching the JWK set from ${url} failed, retrying`, cause))
    }
  })
  return { isComplete: () => jwks.isKnown, canRefresh: true, refresh: jwks.refresh, close: jwks.close }
}
