import { createHmacSha256 } from 'countersign-verifier/internal'
import { areLimitsOff, type RateLimits } from '../config/rate-limits.ts'
import type { Database, Log } from '../database/database.ts'
import type { RedisConnection } from '../database/open-redis.ts'
import { createAttemptLimiter } from './attempt-limiter.ts'
import type { AttemptStore } from './attempt-store.ts'
import { createFailoverAttempts } from './failover-attempts.ts'
import { createLoginGuard } from './login-guard.ts'
import { createLoginGuardPurge, createLoginGuardStore } from './login-guard-store.ts'
import { createMemoryAttempts } from './memory-attempts.ts'
import { createAttemptPurge, createPostgresAttempts } from './postgres-attempts-store.ts'
import { createRedisAttempts } from './redis-attempts.ts'

export interface LimitsDeps {
  limits: RateLimits
  database: Database
  redis: RedisConnection | undefined
  /** The key for the subjects that are counted. */
  key: Uint8Array
  /** Whether the owner of an account can choose a new password by mail, which clears what failures locked. */
  canReset: boolean
  log: Log
}

/** Everything the service does to limit attempts. */
export type Limits = ReturnType<typeof composeLimits>

// 128 bits, in base64url.
const TAG_LENGTH = 22
// NIST SP 800-63B-4 §3.2.2 bounds the sum; the parts keep a stranger's from using up the owner's.
const STRANGERS_SHARE = 0.6
const KNOWN_SHARE = 0.1

export function composeLimits ({ limits, database, redis, key, canReset, log }: LimitsDeps) {
  const mac = createHmacSha256(key)
  // No rule is named `tag`: what is stored with a session is not the key that the limiter counts the same network under.
  const tagOf = (kind: 'email' | 'network', text: string) => mac.digest(`tag\0${kind}\0${text}`).slice(0, TAG_LENGTH)
  const share = (part: number) => Math.max(1, Math.floor(limits.lock * part))
  if (areLimitsOff(limits)) log.warn({}, 'RATE_LIMITS=off: attempts are not limited, and passwords can be guessed')

  return {
    limiter: createAttemptLimiter({ limits, store: chooseStore(database, redis, log), key, log }),
    /** `undefined` where no number of failures locks an account. */
    loginGuard: limits.lock === 0
      ? undefined
      : createLoginGuard({
        store: createLoginGuardStore(database, { most: limits.lock, mostOfStrangers: share(STRANGERS_SHARE), mostOfKnown: share(KNOWN_SHARE), decays: !canReset }),
        canReset,
        tagOf,
        log
      }),
    /** @returns by what a session's network is recognised, for it is stored nowhere; `null` where it is not known */
    networkTag: (network: string | null | undefined) => network === null || network === undefined ? null : tagOf('network', network),
    purges: [createAttemptPurge(database), createLoginGuardPurge(database)]
  }
}

function chooseStore (database: Database, redis: RedisConnection | undefined, log: Log): AttemptStore {
  // The embedded database has one process, which remembers attempts well enough.
  const ownStore = database.engine === 'embedded' ? createMemoryAttempts() : createPostgresAttempts(database)
  if (redis === undefined) return ownStore
  return createFailoverAttempts({ redis: createRedisAttempts(redis), standby: ownStore, isConnected: redis.isConnected, reconnect: redis.reconnect, log })
}
