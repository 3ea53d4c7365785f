import type { Redis } from 'ioredis'
import t from 'tap'
import { openRedis } from '../../src/database/open-redis.ts'
import type { AttemptKey, AttemptStore } from '../../src/limits/attempt-store.ts'
import { createFailoverAttempts } from '../../src/limits/failover-attempts.ts'
import { createPostgresAttempts } from '../../src/limits/postgres-attempts-store.ts'
import { createRedisAttempts } from '../../src/limits/redis-attempts.ts'
import { tcpProxy } from '../database/tcp-proxy.ts'
import { openTestDatabase } from '../support/database.ts'
import { onRedis, unique } from '../support/redis.ts'
import { until } from '../support/until.ts'

t.test('attempts are counted in Postgres while Redis fails', onRedis, async t => {
  const proxy = await tcpProxy(process.env.REDIS_URL ?? '')
  t.teardown(proxy.close)
  const lines: string[] = []
  const log = { info: (_: object, text = '') => { lines.push(text) }, warn: (_: object, text = '') => { lines.push(text) } }
  const redis = await openRedis(proxy.url, log)
  t.teardown(redis.close)
  await until(async () => redis.isConnected())

  let now = 0
  let asked = 0
  let reconnects = 0
  const inRedis = createRedisAttempts(redis)
  const inPostgres = createPostgresAttempts(await openTestDatabase(t))
  const counting: AttemptStore = { ...inRedis, reserve: keys => { asked++; return inRedis.reserve(keys) } }
  const store = createFailoverAttempts({ redis: counting, standby: inPostgres, isConnected: redis.isConnected, reconnect: () => { reconnects++; redis.reconnect() }, log, clock: () => now })
  const keyOf = (): AttemptKey => ({ key: `test:${unique()}`, windows: [{ limit: 3, seconds: 60 }], isDelayed: false })
  const storesOf = async (key: AttemptKey, count: number) => {
    const stores: AttemptStore[] = []
    for (let i = 0; i < count; i++) {
      const { isAdmitted, store: countedBy } = await store.reserve([key])
      if (isAdmitted) stores.push(countedBy)
    }
    return stores
  }

  t.test('one attempt in 5 s waits for a Redis that hangs, and the limit holds', async t => {
    const key = keyOf()
    t.same(await storesOf(key, 2), [inRedis, inRedis])
    proxy.freeze()
    asked = 0
    t.same(await storesOf(key, 10), [inPostgres, inPostgres, inPostgres], 'the window begins anew, once')
    t.equal(asked, 1)
    now += 4_999
    await storesOf(key, 3)
    t.equal(asked, 1)
    now += 1
    await Promise.all([storesOf(key, 3), storesOf(key, 3), storesOf(key, 3)])
    t.equal(asked, 2, 'then one asks again')
    t.equal(reconnects, 1, 'of a new connection')
    t.same(lines, ['redis did not answer; attempts are counted in Postgres'])
  })

  t.test('until Redis answers again', async t => {
    await proxy.heal()
    await until(async () => {
      now += 5_000
      return (await store.reserve([keyOf()])).store === inRedis
    })
    t.same(await storesOf(keyOf(), 2), [inRedis, inRedis])
    t.same(lines.at(-1), 'redis answers; attempts are counted there again')
  })

  t.test('nobody waits for a Redis that is gone', async t => {
    const key = keyOf()
    await proxy.cut()
    await until(async () => !redis.isConnected())
    asked = 0
    t.same(await storesOf(key, 5), [inPostgres, inPostgres, inPostgres])
    t.equal(asked, 0)
    await until(async () => lines.at(-1)?.startsWith('redis is unavailable') ?? false)
    await proxy.heal()
    await until(async () => redis.isConnected())
    now += 5_000
    t.same(await storesOf(key, 1), [inRedis])
  })

  t.test('an answer that is an error does not end the connection, which others use', async t => {
    const key = keyOf()
    const { stream } = redis.client as Redis
    reconnects = 0
    await redis.client.set(`countersign:{attempts}:${key.key}`, 'a text', 'EX', 60)
    for (let i = 0; i < 3; i++) {
      t.same(await storesOf(key, 1), [inPostgres])
      now += 5_000
    }
    t.equal(lines.at(-1), 'redis answered with an error; attempts are counted in Postgres')
    t.equal(reconnects, 0)
    t.equal((redis.client as Redis).stream, stream)
    t.same(await storesOf(keyOf(), 1), [inRedis])
  })

  t.test('an answer of another form is none', async t => {
    const key = keyOf()
    await redis.client.set(`countersign:{attempts}:${key.key}`, 'a text', 'EX', 60)
    t.same(await storesOf(key, 4), [inPostgres, inPostgres, inPostgres])
    t.notMatch(lines.join('\n'), /a text/)
  })
})
