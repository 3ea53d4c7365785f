import { ROLES } from 'countersign-verifier'
import { MAX_ACCESS_TOKEN_LIFE } from 'countersign-verifier/internal'
import type { RedisConnection } from '../../database/open-redis.ts'
import type { KeyRing } from '../../tokens/derived-keys.ts'
import { createSignedCacheEntry } from './signed-cache-entry.ts'
import type { SessionRecord } from '../stateful-session-store.ts'

/** Caches stateful sessions by the hash of their secret. Entries may be lost or outdated: Postgres is the authority. */
export interface SessionCache {
  get (secretHash: Buffer): Promise<SessionRecord | undefined>
  set (secretHash: Buffer, record: SessionRecord): Promise<void>
  delete (secretHash: Buffer): Promise<void>
}

const KEY = 'countersign:session:'

export interface RedisSessionCacheDeps {
  redis: RedisConnection
  /** The keys that entries are signed with, the current one first. */
  ring: KeyRing
}

/**
 * Caches sessions in Redis. An entry expires at the idle end of its session, and at most the longest life of an access
 * token after it was read from Postgres. A Redis that does not answer in time counts as a cache miss.
 */
export function createRedisSessionCache ({ redis, ring }: RedisSessionCacheDeps): SessionCache {
  const signed = createSignedCacheEntry(ring)
  const keyOf = (secretHash: Buffer) => KEY + secretHash.toString('base64url')
  const orMiss = <T>(command: Promise<T>): Promise<T | undefined> => redis.answer(command).catch(() => undefined)

  return {
    async get (secretHash) {
      // A reply of another type than the command's, as of something else than Redis, is a miss too, and quoted nowhere.
      const entry: unknown = await orMiss(redis.client.get(keyOf(secretHash)))
      const json = typeof entry === 'string' ? signed.read(secretHash, entry) : undefined
      return json === undefined ? undefined : parseRecord(json)
    },

    async set (secretHash, record) {
      const life = Math.min(record.idleEndsAt - record.confirmedAt, MAX_ACCESS_TOKEN_LIFE)
      if (life >= 0.001) await orMiss(redis.client.set(keyOf(secretHash), signed.write(secretHash, JSON.stringify(record)), 'PX', Math.floor(life * 1000)))
    },

    async delete (secretHash) {
      await orMiss(redis.client.del(keyOf(secretHash)))
    }
  }
}

const TEXTS = ['sessionId', 'userId', 'email'] as const
const NUMBERS = ['version', 'createdAt', 'seenAt', 'idleEndsAt', 'endsAt', 'confirmedAt'] as const

// What another program or another version of the service wrote is a cache miss.
function parseRecord (json: string): SessionRecord | undefined {
  try {
    const parsed: unknown = JSON.parse(json)
    return isRecord(parsed) ? parsed : undefined
  } catch {
    return undefined
  }
}

function isRecord (value: unknown): value is SessionRecord {
  if (typeof value !== 'object' || value === null) return false
  const record: Partial<SessionRecord> = value
  return TEXTS.every(name => typeof record[name] === 'string') &&
    NUMBERS.every(name => Number.isFinite(record[name])) &&
    ROLES.some(role => role === record.role) &&
    typeof record.emailVerified === 'boolean'
}
