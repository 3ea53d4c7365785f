import type { Redis } from 'ioredis'
import type { Test } from 'tap'
import type { AttemptStore } from '../../src/limits/attempt-store.ts'
import { createMemoryAttempts } from '../../src/limits/memory-attempts.ts'
import { createPostgresAttempts } from '../../src/limits/postgres-attempts-store.ts'
import { createRedisAttempts } from '../../src/limits/redis-attempts.ts'
import { openTestDatabase } from '../support/database.ts'
import { connectRedis, onRedis } from '../support/redis.ts'

/** A store under test, and what the tests of the contract need to know of it. */
export interface StoreFixture {
  readonly store: AttemptStore
  /** Another instance's view of the same hits; the same object where there can be no other. */
  readonly other: AttemptStore
  /** How many stamps a second has. */
  readonly resolution: number
  /** Makes all hits under a key older. */
  age (key: string, seconds: number): Promise<void>
  /** Everything stored under a key, and `undefined` where nothing is. */
  read (key: string): Promise<unknown>
  /** How many of some keys are stored; in memory, how many keys in all. */
  count (keys: readonly string[]): Promise<number>
  /** Seconds until a key is dropped. */
  expiresIn (key: string): Promise<number>
}

const PREFIX = 'countersign:{attempts}:'

async function inMemory (): Promise<StoreFixture> {
  let now = 1_000
  const store = createMemoryAttempts(1_000, () => { now += 1e-4; return now })
  const week = 7 * 86_400
  return {
    store,
    other: store,
    resolution: 1,
    age: async (_key, seconds) => { now += seconds },
    // Reserving changes it; a full window does not.
    read: async key => (await store.reserve([{ key, windows: [{ limit: 0, seconds: week }], isDelayed: false }])).keys[0]?.windows[0]?.used,
    count: async () => store.size,
    expiresIn: async () => 60
  }
}

async function inPostgres (t: Test): Promise<StoreFixture> {
  const database = await openTestDatabase(t)
  const rows = <Row>(name: string, text: string, ...values: unknown[]) => database.query<Row>({ name, text }, values)
  return {
    store: createPostgresAttempts(database),
    other: createPostgresAttempts(database),
    resolution: 1,
    async age (key, seconds) {
      await rows('test age', 'UPDATE attempts SET stamps = ARRAY(SELECT stamp - $2::float8 FROM unnest(stamps) AS stamp ORDER BY stamp) WHERE key = $1', key, seconds)
    },
    read: async key => (await rows('test read', 'SELECT stamps, expires_at FROM attempts WHERE key = $1', key))[0],
    count: async keys => (await rows('test count', 'SELECT FROM attempts WHERE key = ANY ($1::text[])', keys)).length,
    expiresIn: async key => (await rows<{ left: number }>('test expiry', 'SELECT extract(epoch FROM expires_at - now())::float8 AS left FROM attempts WHERE key = $1', key))[0]?.left ?? NaN
  }
}

const over = (client: Redis): Parameters<typeof createRedisAttempts>[0] => ({ client, define: (name, script) => client.defineCommand(name, script), answer: command => command })

async function inRedis (t: Test): Promise<StoreFixture> {
  const redis = await connectRedis(t)
  return {
    store: createRedisAttempts(over(redis)),
    other: createRedisAttempts(over(await connectRedis(t))),
    resolution: 1e6,
    async age (key, seconds) {
      const stamps = await redis.zrange(PREFIX + key, '0', '-1')
      const life = await redis.pttl(PREFIX + key)
      const older = stamps.map(stamp => String(Number(stamp) - seconds * 1e6))
      await redis.multi().del(PREFIX + key).zadd(PREFIX + key, ...older.flatMap(stamp => [stamp, stamp])).pexpire(PREFIX + key, life).exec()
    },
    async read (key) {
      const stamps = await redis.zrange(PREFIX + key, '0', '-1')
      return stamps.length === 0 ? undefined : stamps
    },
    count: keys => redis.exists(...keys.map(key => PREFIX + key)),
    expiresIn: async key => await redis.pttl(PREFIX + key) / 1000
  }
}

/** Every store, by its name. */
export const stores = [
  { name: 'memory', options: {}, open: inMemory },
  { name: 'Postgres', options: {}, open: inPostgres },
  { name: 'Redis', options: onRedis, open: inRedis }
]
