import type { RedisConnection } from '../database/open-redis.ts'
import { DELAY_PERIOD, FIRST_DELAYED_HIT, MAX_DELAY, retention, type AttemptKey, type AttemptOutcome, type AttemptStore } from './attempt-store.ts'

declare module 'ioredis' {
  interface RedisCommander {
    reserveAttempts (keys: number, ...keysAndArguments: Array<string | number>): Promise<unknown>
  }
}

// In a cluster what is in the braces decides the slot: one script counts by all of its keys.
const PREFIX = 'countersign:{attempts}:'
const MICROSECONDS = 1e6

// Each key is a sorted set of stamps in microseconds. Numbers of this size are written by %.0f: Lua would round them.
const RESERVE = `
  local function us (number) return string.format('%.0f', number) end
  local time = redis.call('TIME')
  local now = time[1] * 1000000 + time[2]
  local wait, keys, states, at = 0, {}, {}, 1
  for i, key in ipairs(KEYS) do
    local delayed, kept, count, windows, keyWait = ARGV[at] == '1', tonumber(ARGV[at + 1]), tonumber(ARGV[at + 2]), {}, 0
    at = at + 3
    for w = 1, count do
      local limit, span = tonumber(ARGV[at]), tonumber(ARGV[at + 1])
      at = at + 2
      local since = '(' .. us(now - span)
      local blocking = redis.call('ZRANGE', key, -limit, -limit)[1]
      if blocking then keyWait = math.max(keyWait, tonumber(blocking) + span - now) end
      local oldest = redis.call('ZRANGEBYSCORE', key, since, '+inf', 'LIMIT', 0, 1)[1]
      windows[w] = { redis.call('ZCOUNT', key, since, '+inf'), oldest and tonumber(oldest) + span - now or span }
    end
    local last = tonumber(redis.call('ZRANGE', key, -1, -1)[1] or 0)
    if delayed then
      local lately = redis.call('ZCOUNT', key, '(' .. us(now - ${DELAY_PERIOD * MICROSECONDS}), '+inf')
      if lately >= ${FIRST_DELAYED_HIT} then
        keyWait = math.max(keyWait, last + math.min(${MAX_DELAY}, 2 ^ (lately - ${FIRST_DELAYED_HIT})) * 1000000 - now)
      end
    end
    wait = math.max(wait, keyWait)
    keys[i] = { kept, math.max(now, last + 1) }
    states[i] = { keyWait, 0, windows }
  end
  if wait > 0 then return { 0, states } end
  for i, key in ipairs(KEYS) do
    local kept, stamp = keys[i][1], keys[i][2]
    redis.call('ZREMRANGEBYSCORE', key, '-inf', us(now - kept))
    redis.call('ZADD', key, us(stamp), us(stamp))
    redis.call('PEXPIRE', key, math.ceil(kept / 1000))
    states[i][2] = stamp
  end
  return { 1, states }`

/**
 * Counts attempts in Redis, which all instances share: in one script, by the clock of Redis.
 *
 * @throws Error where Redis gives no answer, or one of another form, which is not repeated
 */
export function createRedisAttempts (redis: Pick<RedisConnection, 'client' | 'define' | 'answer'>): AttemptStore {
  redis.define('reserveAttempts', { lua: RESERVE })

  const store: AttemptStore = {
    isDatabase: false,

    async reserve (keys) {
      const reply = await redis.answer(redis.client.reserveAttempts(keys.length, ...keys.map(({ key }) => PREFIX + key), ...keys.flatMap(toArguments)))
      return toOutcome(reply, keys, store)
    },

    async giveBack (hits) {
      await Promise.all(hits.map(({ key, stamp }) => redis.answer(redis.client.zrem(PREFIX + key, String(stamp)))))
    },

    async forget (keys) {
      await redis.answer(redis.client.del(...keys.map(key => PREFIX + key)))
    }
  }
  return store
}

function toArguments (key: AttemptKey): number[] {
  const { windows, isDelayed } = key
  return [isDelayed ? 1 : 0, retention(key) * MICROSECONDS, windows.length, ...windows.flatMap(({ limit, seconds }) => [limit, seconds * MICROSECONDS])]
}

function toOutcome (reply: unknown, keys: readonly AttemptKey[], store: AttemptStore): AttemptOutcome {
  const [admitted, states] = tuple(reply, 2)
  const isAdmitted = number(admitted) === 1
  return {
    isAdmitted,
    keys: tuple(states, keys.length).map((state, index) => {
      const [wait, stamp, windows] = tuple(state, 3)
      return {
        wait: number(wait) / MICROSECONDS,
        stamp: number(stamp),
        windows: tuple(windows, keys[index]?.windows.length ?? 0).map(window => {
          const [used, freesIn] = tuple(window, 2)
          return { used: number(used) + (isAdmitted ? 1 : 0), freesIn: number(freesIn) / MICROSECONDS }
        })
      }
    }),
    store
  }
}

function tuple (value: unknown, length: number): unknown[] {
  if (!Array.isArray(value) || value.length !== length) throw new TypeError('Redis gave an answer of another form')
  return value
}

function number (value: unknown): number {
  if (typeof value !== 'number') throw new TypeError('Redis gave an answer of another form')
  return value
}
