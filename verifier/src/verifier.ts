import { once } from 'node:events'
import { createClientVerifier } from './client-verifier.ts'
import { InvalidToken, refuse } from './errors.ts'
import { createRevocationFeed } from './feed/revocation-feed.ts'
import { createKeyRing } from './key-ring.ts'
import { readOptions, type VerifierOptions } from './options/verifier-options.ts'
import type { Principal } from './principal.ts'
import { createRevocationSet } from './revocation-set.ts'
import { createIntrospectionFallback } from './introspection-fallback.ts'
import { createMisconfigurationHint } from './misconfiguration-hint.ts'
import { checkPolicy } from './staleness.ts'
import { createTokenVerifier } from './token-verifier.ts'
import type { Verifier, VerifyOptions } from './types.ts'
import { createCounters } from './verifier-counters.ts'
import { createEventSink } from './verifier-events.ts'

/** Reads a token of one kind: users' or clients'. */
type Read<Found> = (token: string, options: VerifyOptions) => Found

const AS_MADE: VerifyOptions = Object.freeze({})

/**
 * Makes a verifier. It begins at once to fetch what it was told to fetch and to follow what it was told to follow, and
 * does so until it is closed.
 *
 * @throws TypeError that begins with the name of the option that is not good
 */
export function createVerifier (options: VerifierOptions): Verifier {
  const settings = readOptions(options)
  const { issuer, audience, roles, clockTolerance, cacheSize, clock } = settings
  const counters = createCounters()
  const telling = createEventSink()
  const { events } = telling
  const hint = createMisconfigurationHint(settings, telling.warn)
  const closing = new AbortController()

  const revocations = createRevocationSet()
  const users = createTokenVerifier({ issuer, audience, keys: settings.keys, revocations, roles, clockTolerance, cacheBytes: cacheSize, clock })
  const keys = createKeyRing({ settings, telling, counters, onChange: users.setKeys })
  const clients = createClientVerifier({ issuer, audience, keys: keys.current, revocations, clockTolerance, clock })
  const feed = settings.feed && createRevocationFeed({ settings: settings.feed, set: revocations, clock, telling, counters })
  const introspection = settings.feed && createIntrospectionFallback({ settings: settings.feed, telling, counters })

  const policy = settings.feed?.policy

  function assertFresh ({ maxStaleness = policy?.maxStaleness, onStale = policy?.onStale }: VerifyOptions): void {
    if (feed === undefined || onStale === 'accept') return
    // Not `>`: a bound that is no number must let nobody in.
    if (!(feed.age() <= Number(maxStaleness) * 1000)) refuse('stale')
  }

  function check<Found> (read: Read<Found>, token: string, options: VerifyOptions): Found {
    const found = read(token, options)
    assertFresh(options)
    return found
  }

  function accept<Found> (found: Found): Found {
    counters.accepted++
    return found
  }

  /** Notes a refusal. @returns what is thrown for it */
  function note (error: unknown): unknown {
    if (!(error instanceof InvalidToken)) return error
    const known = error.reason === 'unknown_key' && !keys.isComplete() ? new InvalidToken('keys_unknown') : error
    counters.refused[known.reason] = (counters.refused[known.reason] ?? 0) + 1
    if (counters.accepted === 0) hint(known.reason)
    return known
  }

  function verify<Found> (read: Read<Found>, token: string, options: VerifyOptions): Found {
    try {
      return accept(check(read, token, options))
    } catch (error) {
      if (isUnknownKey(error)) void keys.lookAgain()
      throw note(error)
    }
  }

  function authenticate<Found> (read: Read<Found>, token: string, options: VerifyOptions): Found | Promise<Found> {
    try {
      return accept(check(read, token, options))
    } catch (error) {
      const fetching = isUnknownKey(error) ? keys.lookAgain() : undefined
      if (fetching === undefined && !isForService(error, options)) throw note(error)
      return settle(read, token, options, fetching)
    }
  }

  /** What could not be decided at once. */
  async function settle<Found> (read: Read<Found>, token: string, options: VerifyOptions, fetching: Promise<unknown> | undefined): Promise<Found> {
    try {
      await fetching
      const found = read(token, options)
      try {
        assertFresh(options)
        return accept(found)
      } catch (error) {
        if (!isForService(error, options)) throw error
        await introspection?.assertActive(token)
        // What was heard of while the service was asked counts too.
        return accept(read(token, options))
      }
    } catch (error) {
      throw note(error)
    }
  }

  function isForService (error: unknown, { onStale = policy?.onStale }: VerifyOptions): boolean {
    return onStale === 'introspect' && error instanceof InvalidToken && error.reason === 'stale'
  }

  const ofUser: Read<Principal> = (token, { credential }) => users.verify(token, credential)

  return {
    issuer,
    events,
    counters,
    verify: (token, options = AS_MADE) => verify(ofUser, token, options),
    authenticate: (token, options = AS_MADE) => authenticate(ofUser, token, options),
    verifyClient: (token, options = AS_MADE) => verify(clients, token, options),
    authenticateClient: (token, options = AS_MADE) => authenticate(clients, token, options),
    staleness: () => feed?.age() ?? 0,

    policy (changes) {
      if (policy === undefined && Object.keys(changes).length > 0) throw new TypeError('onStale and maxStaleness are of no use without revocations')
      const whole = { ...policy, ...changes }
      if (policy !== undefined) checkPolicy(whole)
      return whole
    },

    async ready ({ signal } = {}) {
      const ending = signal === undefined ? closing.signal : AbortSignal.any([closing.signal, signal])
      if (!keys.isComplete()) await once(events, 'keys', { signal: ending })
      if (feed?.age() === Infinity) await once(events, 'sync', { signal: ending })
    },

    close () {
      closing.abort()
      keys.close()
      feed?.close()
      introspection?.close()
    }
  }
}

function isUnknownKey (error: unknown): boolean {
  return error instanceof InvalidToken && error.reason === 'unknown_key'
}
