import { createHmacKey } from '../hmac-key.ts'
import type { Jwks } from '../jwks/read-jwks.ts'
import { DEFAULT_CACHE_BYTES, DEFAULT_CLOCK_TOLERANCE, MAX_CLOCK_TOLERANCE } from '../limits.ts'
import { ROLES } from '../principal.ts'
import { createPublicKey, type PublicJwk } from '../public-key.ts'
import type { VerificationKey } from '../verification-key.ts'
import { assertNumber, assertText, isText, withOptionName, readUrl } from './assert-option.ts'
import { readFeedOptions, type FeedSettings, type Following, type NotFollowing } from './feed-options.ts'

/** Whose tokens are good, and by which keys: at least one of `secret`, `keys` and `jwksUri` is needed. */
export interface TokenOptions {
  /** The exact `iss` of every token: the service's `JWT_ISSUER`, which is its `PUBLIC_URL` where nothing else is set. */
  readonly issuer: string
  /** The exact `aud` of every token: the service's `JWT_AUDIENCE`, or the audience this service was registered with. */
  readonly audience: string
  /**
   * `JWT_SECRET` as the service has it, or the audience key that `countersign clients create` printed: text of 32 bytes
   * or more, or several, parted by commas or in an array. Tokens under any of them are good.
   */
  readonly secret?: string | readonly string[]
  /** Public keys, as a JWK set or its list. */
  readonly keys?: readonly PublicJwk[] | Jwks
  /** Where the service's JWK set is, for example `https://auth.example.com/.well-known/jwks.json`. */
  readonly jwksUri?: string | URL
  /** The roles that a token may carry. Default `user` and `admin`. */
  readonly roles?: readonly string[]
  /** Seconds that clocks may differ, at most 60. Default 5. */
  readonly clockTolerance?: number
  /** Bytes that remembered tokens may take; 0 remembers none. Default 16 MiB. */
  readonly cacheSize?: number
  /** The time in milliseconds since 1970. Default `Date.now`. */
  readonly clock?: () => number
}

/** What `createVerifier` takes. */
export type VerifierOptions = TokenOptions & (Following | NotFollowing)

/** The same, read and found good. */
export interface VerifierSettings extends Required<Pick<TokenOptions, 'issuer' | 'audience' | 'roles' | 'clockTolerance' | 'cacheSize' | 'clock'>> {
  readonly keys: readonly VerificationKey[]
  readonly jwksUri: URL | undefined
  readonly feed: FeedSettings | undefined
}

const NAMES = ['issuer', 'audience', 'secret', 'keys', 'jwksUri', 'roles', 'clockTolerance', 'cacheSize', 'clock', 'revocations', 'maxStaleness', 'onStale']

/** @throws TypeError that begins with the name of the option that is not good */
export function readOptions (options: VerifierOptions): VerifierSettings {
  for (const name of Object.keys(options)) if (!NAMES.includes(name)) throw new TypeError(`${name} is no option of a verifier`)
  const { issuer, audience, secret, keys, jwksUri, roles = ROLES, clockTolerance = DEFAULT_CLOCK_TOLERANCE, cacheSize = DEFAULT_CACHE_BYTES, clock = Date.now } = options
  assertText('issuer', issuer)
  assertText('audience', audience)
  if (secret === undefined && keys === undefined && jwksUri === undefined) throw new TypeError('secret, keys or jwksUri must be given')
  if (!Array.isArray(roles) || roles.length === 0 || !roles.every(isText)) throw new TypeError('roles must be a list of names')
  assertNumber('clockTolerance', clockTolerance, MAX_CLOCK_TOLERANCE)
  assertNumber('cacheSize', cacheSize, Number.MAX_SAFE_INTEGER)
  if (typeof clock !== 'function') throw new TypeError('clock must be a function')
  return {
    issuer,
    audience,
    roles,
    clockTolerance,
    cacheSize,
    clock,
    keys: [...readSecrets(secret, issuer, audience), ...readKeys(keys, audience)],
    jwksUri: jwksUri === undefined ? undefined : readUrl('jwksUri', jwksUri),
    feed: readFeedOptions(options)
  }
}

function readSecrets (secret: TokenOptions['secret'], issuer: string, audience: string): VerificationKey[] {
  if (secret === undefined) return []
  const texts: unknown[] = typeof secret === 'string' ? secret.split(',') : [secret].flat()
  if (texts.length === 0) throw new TypeError('secret must hold a secret')
  return texts.map(text => withOptionName('secret', () => {
    if (typeof text === 'string' && text !== text.trim()) throw new TypeError('An HMAC key must have no white space around it')
    return createHmacKey(text as string, issuer, audience)
  }))
}

function readKeys (given: TokenOptions['keys'], audience: string): VerificationKey[] {
  if (given === undefined) return []
  const keys: unknown = Array.isArray(given) ? given : (given as Partial<Jwks> | null)?.keys
  if (!Array.isArray(keys) || keys.length === 0) throw new TypeError('keys must be a JWK set, or a list of public JWKs')
  return keys.map((jwk: PublicJwk) => withOptionName('keys', () => createPublicKey(jwk, audience)))
}
