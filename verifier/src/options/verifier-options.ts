import { defaultRoles } from '../claims.ts'
import { createHmacKey } from '../hmac-key.ts'
import { DEFAULT_CACHE_BYTES, DEFAULT_CLOCK_TOLERANCE, MAX_CLOCK_TOLERANCE } from '../limits.ts'
import { createPublicKey } from '../public-key.ts'
import type { Jwks, PublicJwk, TokenOptions, VerifierOptions } from '../types.ts'
import type { VerificationKey } from '../verification-key.ts'
import { assertNumber, assertText, isText, readUrl, withOptionName } from './assert-option.ts'
import { readFeedOptions, type FeedSettings } from './feed-options.ts'

/** The validated options of a verifier. */
export interface VerifierSettings<R extends string> extends Required<Pick<TokenOptions<R>, 'issuer' | 'audience' | 'roles' | 'clockTolerance' | 'cacheSize' | 'clock'>> {
  readonly keys: readonly VerificationKey[]
  readonly jwksUri: URL | undefined
  readonly feed: FeedSettings | undefined
}

const NAMES = ['issuer', 'audience', 'secret', 'keys', 'jwksUri', 'roles', 'clockTolerance', 'cacheSize', 'clock', 'revocations', 'maxStaleness', 'onStale']

/** @throws TypeError whose message begins with the name of the invalid option */
export function readOptions<R extends string> (options: VerifierOptions<R>): VerifierSettings<R> {
  for (const name of Object.keys(options)) if (!NAMES.includes(name)) throw new TypeError(`${name} is not an option of a verifier`)
  const { issuer, audience, secret, keys, jwksUri, roles = defaultRoles<R>(), clockTolerance = DEFAULT_CLOCK_TOLERANCE, cacheSize = DEFAULT_CACHE_BYTES, clock = Date.now } = options
  assertText('issuer', issuer)
  assertText('audience', audience)
  if (secret === undefined && keys === undefined && jwksUri === undefined) throw new TypeError('secret, keys or jwksUri is required')
  if (!isNameList(roles)) throw new TypeError('roles must be a list of names')
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

function isNameList (value: unknown): boolean {
  return Array.isArray(value) && value.length > 0 && value.every(isText)
}

function readSecrets (secret: TokenOptions['secret'], issuer: string, audience: string): VerificationKey[] {
  if (secret === undefined) return []
  const secrets: unknown[] = typeof secret === 'string' ? secret.split(',') : [secret].flat()
  if (secrets.length === 0) throw new TypeError('secret must hold at least one secret')
  return secrets.map(text => withOptionName('secret', () => {
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
