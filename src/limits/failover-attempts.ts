import type { Log } from '../database/database.ts'
import { RedisTimeoutError } from '../database/open-redis.ts'
import type { AttemptStore } from './attempt-store.ts'

/** How long Redis is left alone after it failed, in milliseconds. */
const OPEN_FOR = 5_000

export interface FailoverDeps {
  redis: AttemptStore
  /** Counts while Redis fails. */
  standby: AttemptStore
  /** Whether there is a connection: without one, the client says so itself. */
  isConnected (): boolean
  /** Gives a connection up that does not answer, for a new one. */
  reconnect (): void
  log: Pick<Log, 'warn' | 'info'>
  /** Milliseconds, monotonic. */
  clock?: () => number
}

/**
 * Counts attempts in Redis, and in Postgres where Redis fails: then the windows begin anew, once. After a failure all attempts
 * go to Postgres for 5 s, then one asks Redis again (a circuit breaker). So a Redis that does not answer delays one attempt
 * in 5 s, not every one.
 */
export function createFailoverAttempts ({ redis, standby, isConnected, reconnect, log, clock = () => performance.now() }: FailoverDeps): AttemptStore {
  let leftAloneUntil = -Infinity
  let isFailing = false

  function fail (error: unknown): void {
    leftAloneUntil = clock() + OPEN_FOR
    const isTimeout = error instanceof RedisTimeoutError
    if (!isFailing && isConnected()) log.warn({ err: error }, `redis ${isTimeout ? 'did not answer' : 'answered with an error'}; attempts are counted in Postgres`)
    // A single slow answer may be chance. Of a connection that was lost without a word, nobody else would learn; one that
    // answers, be it with an error, is not lost, and others use it.
    else if (isTimeout && isConnected()) reconnect()
    isFailing = true
  }

  function succeed (): void {
    if (!isFailing) return
    log.info({}, 'redis answers; attempts are counted there again')
    isFailing = false
    leftAloneUntil = -Infinity
  }

  return {
    isDatabase: false,

    async reserve (keys) {
      if (!isConnected() || clock() < leftAloneUntil) return standby.reserve(keys)
      // The first after a failure asks; the others do not wait for what it finds.
      if (isFailing) leftAloneUntil = clock() + OPEN_FOR
      try {
        const outcome = await redis.reserve(keys)
        succeed()
        return outcome
      } catch (error) {
        fail(error)
        return standby.reserve(keys)
      }
    },

    // Whoever gives back asks the store that has counted.
    giveBack: hits => redis.giveBack(hits),
    forget: keys => redis.forget(keys)
  }
}
