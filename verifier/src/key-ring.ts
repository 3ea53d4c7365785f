import { followJwks } from './jwks/follow-jwks.ts'
import type { VerifierSettings } from './options/verifier-options.ts'
import { createWarnOnce } from './warn-once.ts'
import type { VerificationKey } from './verification-key.ts'
import type { VerifierCounters } from './verifier-counters.ts'
import { VerifierWarning, type EventSink } from './verifier-events.ts'

export interface KeyRingDeps {
  readonly settings: Pick<VerifierSettings, 'audience' | 'keys' | 'jwksUri'>
  readonly telling: EventSink
  readonly counters: VerifierCounters
  /** Told of all keys whenever they have changed. */
  readonly onChange: (keys: readonly VerificationKey[]) => void
}

/** The keys of a verifier: those it was given, and those it fetches. */
export interface KeyRing {
  current (): readonly VerificationKey[]
  /** Whether every source of keys has told what it has. */
  isComplete (): boolean
  /** Fetches keys again, for a token names one that is not known. @returns nothing where they are never fetched */
  lookAgain (): Promise<unknown> | undefined
  close (): void
}

export function createKeyRing ({ settings: { audience, keys: given, jwksUri: url }, telling: { tell, warn }, counters, onChange }: KeyRingDeps): KeyRing {
  if (url === undefined) return { current: () => given, isComplete: () => true, lookAgain: () => undefined, close: () => {} }

  const outage = createWarnOnce(warn)
  let keys = given

  const jwks = followJwks({
    url,
    audience,
    onKeys (fetched) {
      keys = [...given, ...fetched]
      onChange(keys)
      tell('keys', fetched.map(({ kid }) => kid))
      if (fetched.length === 0) warn(new VerifierWarning('jwks_empty', `The JWK set at ${url} holds no Ed25519, P-256 or RSA key to verify with`))
    },
    onFetch: () => { counters.jwksFetches++ },
    onSuccess: outage.end,
    onFailure (cause) {
      counters.jwksFailures++
      outage.tell(new VerifierWarning('jwks_failed', `The JWK set at ${url} cannot be had, trying again`, cause))
    }
  })
  return { current: () => keys, isComplete: () => jwks.isKnown, lookAgain: jwks.lookAgain, close: jwks.close }
}
