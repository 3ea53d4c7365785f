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
  if (typeof kind !== 'string') throw new FeedParseError(INVALID_REVOCATION)
  if (kind !== 'session' && kind !== 'user' && kind !== 'client') return undefined
  if (typeof id !== 'string' || id === '' || !isTime(expiresAt)) throw new FeedParseError(INVALID_REVOCATION)
  if (kind === 'session' || (kind === 'client' && minVersion === undefined)) return { kind, id, expiresAt }
  if (!isInteger(minVersion)) throw new FeedParseError(INVALID_REVOCATION)
  return { kind, id, minVersion, expiresAt }
}

/** What a `sync` tells. */
export interface Sync {
  /** Milliseconds since the service began the read of its ledger that the event confirms. */
  readonly ageMs: number
  /** The ledger's clock, in Unix milliseconds; `undefined` from a service that does not tell it yet. */
  readonly nowMs: number | undefined
}

/**
 * @param data the data of a `sync` event
 * @throws FeedParseError
 */
export function parseSync (data: string): Sync {
  const { ageMs, nowMs } = parseObject(data, INVALID_SYNC)
  if (!isTime(ageMs) || !(nowMs === undefined || isTime(nowMs))) throw new FeedParseError(INVALID_SYNC)
  return { ageMs, nowMs }
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
