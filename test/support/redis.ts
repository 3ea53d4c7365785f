import { randomBytes } from 'node:crypto'
import { Redis } from 'ioredis'
import type { Test } from 'tap'

/** For tests that need Redis: `t.test(name, onRedis, …)`. */
export const onRedis = process.env.REDIS_URL === undefined ? { skip: 'needs Redis: set REDIS_URL' } : {}

/** A connection to the Redis of the tests, closed when the test ends. */
export async function connectRedis (t: Test): Promise<Redis> {
  const redis = new Redis(process.env.REDIS_URL ?? '')
  t.teardown(() => redis.disconnect())
  await redis.ping()
  return redis
}

/** A text that no other test uses. */
export function unique (): string {
  return randomBytes(8).toString('hex')
}
