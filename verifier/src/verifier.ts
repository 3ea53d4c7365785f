import { once } from 'node:events'
import { createClientVerifier } from './client-verifier.ts'
import { createClockWarning } from './clocks/clock-warning.ts'
import { InvalidToken, refuse } from './errors.ts'
import { createRevocationFeed } from './feed/revocation-feed.ts'
import { createIntrospectionFallback } from './introspection-fallback.ts'
import { createKeyRing } from './key-ring.ts'
import { createMisconfigurationHint } from './misconfiguration-hint.ts'
import { checkPolicy } from './options/feed-options.ts'
import { readOptions } from './options/verifier-options.ts'
import { createRevocationSet } from './revocation-set.ts'
import { createTokenVerifier } from './token-verifier.ts'
import type { ClientPrincipal, Principal, Role, Verifier, VerifierCounters, VerifierOptions, VerifyOptions } from './types.ts'
import { createEventSink } from './verifier-events.ts'

/** Verifies a token of one kind, users' or clients', except for freshness. */
type Verify<Who> = (token: string, options: VerifyOptions) => Who

const NO_OPTIONS: VerifyOptions = Object.freeze({})

/**
 * Creates a verifier. With `jwksUri` or `revocations` it starts to fetch or follow at once, until it is closed.
 *
 * ```ts
 * const verifier = createVerifier({ issuer, audience: 'shop', secret, roles: ['buyer', 'seller'] })
 * const { id, role } = verifier.verify(token) // role: 'buyer' | 'seller'
 * ```
 *
 * @throws TypeError whose message begins with the name of the invalid option
 */
export function createVerifier<const R extends string = Role> (options: VerifierOptions<R>): Verifier<R> {
  const settings = readOptions(options)
  const { issuer, audience, keys: givenKeys, roles, clockTolerance, cacheSize, clock, feed: feedSettings } = settings
  const counters = createCounters()
  const sink = createEventSink()
  const { events } = sink
  const hint = createMisconfigurationHint(settings, sink.warn)
  const closing = new AbortController()
  const clockOff = createClockWarning(sink.warn)
  const onClockBehind = (seconds: number): void => clockOff(-seconds)

  const revocations = createRevocationSet()
  const users = createTokenVerifier({ issuer, audience, keys: givenKeys, revocations, roles, clockTolerance, cacheBytes: cacheSize, clock, onClockBehind })
  const clients = createClientVerifier({ issuer, audience, keys: givenKeys, revocations, roles, clockTolerance, clock, onClockBehind })
  const keys = createKeyRing({
    settings,
    sink,
    counters,
    onChange (changed) {
      users.setKeys(changed)
      clients.setKeys(changed)
    }
  })
  const feed = feedSettings && createRevocationFeed({ settings: feedSettings, revocations, clock, clockOff, sink, counters })
  const introspection = feedSettings && feed && createIntrospectionFallback({ settings: feedSettings, sink, counters, now: feed.now })
  const policy = feedSettings?.policy

  const verifyUser: Verify<Principal<R>> = (token, { credential }) => users.verify(token, credential)
  const verifyClient: Verify<ClientPrincipal> = token => clients.verify(token)

  function assertFresh ({ maxStaleness = policy?.maxStaleness, onStale = policy?.onStale }: VerifyOptions): void {
    if (feed === undefined || onStale === 'accept') return
    // Not `>`: if the bound is NaN, no token may pass.
    if (!(feed.age() <= Number(maxStaleness) * 1000)) refuse('stale')
  }

  function check<Who> (verify: Verify<Who>, token: string, options: VerifyOptions): Who {
    const who = verify(token, options)
    assertFresh(options)
    return who
  }

  function accept<Who> (who: Who): Who {
    counters.accepted++
    hint.accepted()
    return who
  }

  /** Counts a refusal. @returns what to throw for it */
  function refusalOf (error: unknown): unknown {
    if (!(error instanceof InvalidToken)) return error
    const refusal = isUnknownKey(error) && !keys.isComplete() ? new InvalidToken('keys_unknown') : error
    counters.refused[refusal.reason] = (counters.refused[refusal.reason] ?? 0) + 1
    hint.refused(refusal.reason)
    return refusal
  }

  /** Whether I/O may turn a refusal into an acceptance. */
  function needsService (error: unknown, options: VerifyOptions): boolean {
    return (isUnknownKey(error) && keys.canRefresh) || needsIntrospection(error, options)
  }

  function needsIntrospection (error: unknown, { onStale = policy?.onStale }: VerifyOptions): boolean {
    return onStale === 'introspect' && error instanceof InvalidToken && error.reason === 'stale'
  }

  function verifyNow<Who> (verify: Verify<Who>, token: string, options: VerifyOptions): Who {
    try {
      return accept(check(verify, token, options))
    } catch (error) {
      if (isUnknownKey(error)) void keys.refresh()
      throw refusalOf(error)
    }
  }

  function verifyLocally<Who> (verify: Verify<Who>, token: string, options: VerifyOptions): Who | undefined {
    try {
      return accept(check(verify, token, options))
    } catch (error) {
      if (needsService(error, options)) return undefined
      throw refusalOf(error)
    }
  }

  async function authenticate<Who> (verify: Verify<Who>, token: string, options: VerifyOptions): Promise<Who> {
    try {
      return accept(await decide(verify, token, options))
    } catch (error) {
      throw refusalOf(error)
    }
  }

  async function decide<Who> (verify: Verify<Who>, token: string, options: VerifyOptions): Promise<Who> {
    try {
      return check(verify, token, options)
    } catch (error) {
      if (!needsService(error, options)) throw error
      if (isUnknownKey(error)) await keys.refresh()
    }
    try {
      return check(verify, token, options)
    } catch (error) {
      if (!needsIntrospection(error, options)) throw error
      await introspection?.assertActive(token)
    }
    // Again: it may have been revoked during the request.
    return verify(token, options)
  }

  return {
    issuer,
    events,
    counters,
    verify: (token, options = NO_OPTIONS) => verifyNow(verifyUser, token, options),
    verifyLocally: (token, options = NO_OPTIONS) => verifyLocally(verifyUser, token, options),
    authenticate: (token, options = NO_OPTIONS) => authenticate(verifyUser, token, options),
    verifyClient: (token, options = NO_OPTIONS) => verifyNow(verifyClient, token, options),
    verifyClientLocally: (token, options = NO_OPTIONS) => verifyLocally(verifyClient, token, options),
    authenticateClient: (token, options = NO_OPTIONS) => authenticate(verifyClient, token, options),
    staleness: () => feed?.age() ?? 0,

    policy (changes) {
      if (policy === undefined && Object.keys(changes).length > 0) throw new TypeError('onStale and maxStaleness have no effect without revocations')
      const changed = { ...policy, ...changes }
      if (policy !== undefined) checkPolicy(changed)
      return changed
    },

    async ready ({ signal } = {}) {
      const aborted = signal === undefined ? closing.signal : AbortSignal.any([closing.signal, signal])
      if (!keys.isComplete()) await once(events, 'keys', { signal: aborted })
      if (feed?.age() === Infinity) await once(events, 'sync', { signal: aborted })
    },

    close () {
      closing.abort()
      keys.close()
      feed?.close()
      introspection?.close()
    }
  }
}

function createCounters (): VerifierCounters {
  return { accepted: 0, refused: {}, revocations: 0, syncs: 0, feedFailures: 0, jwksFetches: 0, jwksFailures: 0, introspections: 0, introspectionFailures: 0 }
}

function isUnknownKey (error: unknown): boolean {
  return error instanceof InvalidToken && error.reason === 'unknown_key'
}
