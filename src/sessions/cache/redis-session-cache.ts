import { ROLES } from 'countersign-verifier'
import { MAX_ACCESS_TOKEN_LIFE } from 'countersign-verifier/internal'
import type { KeyRing } from '../../tokens/derived-keys.ts'
import { createSignedCacheEntry } from './signed-cache-entry.ts'
import type { SessionRecord } from '../stateful-session-store.ts'

/** Caches stateful sessions by the hash of their secret. Entries may be lost or outdated: Postgres is the authority. */
export interface SessionCache {
  get (secretHash: Buffer): Promise<SessionRecord | undefined>
  set (secretHash: Buffer, record: SessionRecord): Promise<void>
  delete (secretHash: Buffer): Promise<void>
  ping (): Promise<void>
  close (): Promise<void>
}

const COMMAND_TIMEOUT = 250
const KEY = 'countersign:session:'

export interface RedisSessionCacheDeps {
  url: string
  /** The keys that entries are signed with, the current one first. */
  ring: KeyRing
  log: { warn (details: object, message: string): void }
}

/**
 * Caches sessions in Redis. An entry expires at the idle end of its session, and at most the longest life of an access
 * token after it was read from Postgres. A Redis that does not respond within 250 ms counts as a cache miss.
 */
export async function createRedisSessionCache ({ url, ring, log }: RedisSessionCacheDeps): Promise<SessionCache> {
  // Loaded only where Redis is configured.
  const { Redis } = await import('ioredis')
  const redis = new Redis(url, {
    commandTimeout: COMMAND_TIMEOUT,
    connectTimeout: 2_000,
    maxRetriesPerRequest: 0,
    enableOfflineQueue: false,
    retryStrategy: attempt => Math.min(100 * attempt, 2_000)
  })
  let isDown = false
  redis.on('ready', () => { isDown = false })
  redis.on('error', (error: Error) => {
    if (!isDown) log.warn({ err: error }, 'redis is unavailable; stateful sessions are read from Postgres')
    isDown = true
  })

  const signed = createSignedCacheEntry(ring)
  const keyOf = (secretHash: Buffer) => KEY + secretHash.toString('base64url')
  const orMiss = <T>(command: Promise<T>): Promise<T | undefined> => command.catch(() => undefined)

  return {
    async get (secretHash) {
      const entry = await orMiss(redis.get(keyOf(secretHash)))
      const json = entry === undefined || entry === null ? undefined : signed.read(secretHash, entry)
      return json === undefined ? undefined : parseRecord(json)
    },

    async set (secretHash, record) {
      const life = Math.min(record.idleEndsAt - record.confirmedAt, MAX_ACCESS_TOKEN_LIFE)
      if (life >= 0.001) await orMiss(redis.set(keyOf(secretHash), signed.write(secretHash, JSON.stringify(record)), 'PX', Math.floor(life * 1000)))
    },

    async delete (secretHash) {
      await orMiss(redis.del(keyOf(secretHash)))
    },

    async ping () {
      // A single slow response is not an outage.
      await redis.ping().catch(() => redis.ping())
    },

    async close () {
      redis.disconnect()
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
