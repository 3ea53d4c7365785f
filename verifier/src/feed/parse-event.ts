import type { Revocation } from '../revocation-set.ts'
import { FeedParseError } from './feed-parse-error.ts'

const REVOCATION = 'a revocation'
const SYNC = 'a sync'

/**
 * @param data the data of a `revocation` event
 * @returns nothing where it is of a kind that this version does not know
 * @throws UnreadableFeed
 */
export function parseRevocation (data: string): Revocation | undefined {
  const { kind, id, minVersion, expiresAt } = readObject(data, REVOCATION)
  if (typeof kind !== 'string' || typeof id !== 'string' || id === '' || !isTime(expiresAt)) throw new FeedParseError(REVOCATION)
  if (kind === 'session' || kind === 'client') return { kind, id, expiresAt }
  if (kind !== 'user') return undefined
  if (!isInteger(minVersion)) throw new FeedParseError(REVOCATION)
  return { kind, id, minVersion, expiresAt }
}

/**
 * @param data the data of a `sync` event
 * @returns how long ago, in milliseconds, the read of the ledger began that it speaks of
 * @throws UnreadableFeed
 */
export function parseSync (data: string): number {
  const { ageMs } = readObject(data, SYNC)
  if (!isTime(ageMs)) throw new FeedParseError(SYNC)
  return ageMs
}

function readObject (data: string, what: string): Record<string, unknown> {
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
