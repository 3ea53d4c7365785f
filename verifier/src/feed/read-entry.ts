import type { Revocation } from '../revocation-set.ts'
import { UnreadableFeed } from './unreadable-feed.ts'

const REVOCATION = 'a revocation'
const SYNC = 'a sync'

/**
 * @param data the data of a `revocation` event
 * @returns nothing where it is of a kind that this version does not know
 * @throws UnreadableFeed
 */
export function readRevocation (data: string): Revocation | undefined {
  const { kind, id, minVersion, expiresAt } = readObject(data, REVOCATION)
  if (typeof kind !== 'string' || typeof id !== 'string' || id === '' || !isTime(expiresAt)) throw new UnreadableFeed(REVOCATION)
  if (kind === 'session' || kind === 'client') return { kind, id, expiresAt }
  if (kind !== 'user') return undefined
  if (!isInteger(minVersion)) throw new UnreadableFeed(REVOCATION)
  return { kind, id, minVersion, expiresAt }
}

/**
 * @param data the data of a `sync` event
 * @returns how long ago, in milliseconds, the read of the ledger began that it speaks of
 * @throws UnreadableFeed
 */
export function readSync (data: string): number {
  const { ageMs } = readObject(data, SYNC)
  if (!isTime(ageMs)) throw new UnreadableFeed(SYNC)
  return ageMs
}

function readObject (data: string, what: string): Record<string, unknown> {
  let value: unknown
  try {
    value = JSON.parse(data)
  } catch {
    throw new UnreadableFeed(what)
  }
  if (typeof value !== 'object' || value === null) throw new UnreadableFeed(what)
  return value as Record<string, unknown>
}

function isTime (value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0
}

function isInteger (value: unknown): value is number {
  return Number.isSafeInteger(value)
}
