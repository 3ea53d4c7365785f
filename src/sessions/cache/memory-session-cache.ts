import type { SessionCache } from './redis-session-cache.ts'
import type { SessionRecord } from '../stateful-session-store.ts'

const MAX_ENTRIES = 10_000

/** Caches the sessions that this process used last. */
export function createMemorySessionCache (maxEntries = MAX_ENTRIES): SessionCache {
  const records = new Map<string, SessionRecord>()

  return {
    async get (secretHash) {
      const key = secretHash.toString('latin1')
      const record = records.get(key)
      if (record === undefined) return undefined
      records.delete(key)
      records.set(key, record)
      return record
    },
    async set (secretHash, record) {
      const key = secretHash.toString('latin1')
      records.delete(key)
      records.set(key, record)
      if (records.size <= maxEntries) return
      const [oldest] = records.keys()
      if (oldest !== undefined) records.delete(oldest)
    },
    async delete (secretHash) {
      records.delete(secretHash.toString('latin1'))
    }
  }
}
