import type { Revocation } from '../types.ts'
import { FeedParseError } from './feed-parse-error.ts'

const INVALID_REVOCATION = 'an invalid revocation'
const INVALID_SYNC = 'an invalid sync'

/**
 * @param data the data of a `revocation` event
 * @returns `undefined` for a kind that this version does not know
 * @throws FeedParseError
 */
export function parseRevocation (data: string): Revocation | undefined {
  const { kind, id, minVersion, expiresAt } = parseObject(data, INVALID_REVOCATION)
  if (typeof kind !== 'string' || typeof id !== 'string' || id === '' || !isTime(expiresAt)) throw new FeedParseError(INVALID_REVOCATION)
  if (kind === 'session' || kind === 'client') return { kind, id, expiresAt }
  if (kind !== 'user') return undefined
  if (!isInteger(minVersion)) throw new FeedParseError(INVALID_REVOCATION)
  return { kind, id, minVersion, expiresAt }
}

/**
 * @param data the data of a `sync` event
 * @returns milliseconds since the service began the read of its ledger that the event confirms
 * @throws FeedParseError
 */
export function parseSync (data: string): number {
  const { ageMs } = parseObject(data, INVALID_SYNC)
  if (!isTime(ageMs)) throw new FeedParseError(INVALID_SYNC)
  return ageMs
}

function parseObject (data: string, what: string): Record<string, unknown> {
  let value: unknown
  try {
    value = JSON.parse(data)
  } catch {
    throw new FeedParseError(what)
  }
  if (typeof value !== 'object' || value === null) throw new FeedParseError(what)
  return value as Record<string, unknown>
}

function isTime (value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0
}

function isInteger (value: unknown): value is number {
  return Number.isSafeInteger(value)
}
