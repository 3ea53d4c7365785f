import type { Redis } from 'ioredis'
import t from 'tap'
import { openRedis } from '../../src/database/open-redis.ts'
import { tcpProxy } from '../database/tcp-proxy.ts'
import { onPostgres } from '../support/database.ts'
import { onOwnRedis, startRedis, startSentinels, type OwnRedis } from '../support/own-redis.ts'
import { until } from '../support/until.ts'
import { ALL_GOOD, goOn, isUp, startTwo } from './redis-load.ts'

const isPrimary = async (node: OwnRedis) => /role:master/.test(String(await node.ask('INFO', 'replication')))
const isReplica = async (node: OwnRedis) => /master_link_status:up/.test(String(await node.ask('INFO', 'replication')))
const attemptsIn = async (node: OwnRedis) => ((await node.ask('KEYS', 'countersign:{attempts}:*')) as string[]).length

// A Sentinel whose machine is busy waits half a minute before it acts again (its TILT mode).
const BY_THEN = 120_000

t.test('Sentinel fails over from a primary that hangs, and from one that is killed, under load', { ...onPostgres, ...onOwnRedis, timeout: 540_000 }, async t => {
  const first = await startRedis(t)
  const second = await startRedis(t, '--replicaof', '127.0.0.1', String(first.port))
  await until(() => isReplica(second), BY_THEN)
  const sentinels = await startSentinels(t, 3, first, 'sessions')
  const services = await startTwo(t, `redis+sentinel://${sentinels.map(({ address }) => address).join()}/sessions`)
  const over = new AbortController()
  const going = goOn(services, over.signal)
  await until(async () => await attemptsIn(first) > 0)

  first.freeze()
  const took = await until(() => isPrimary(second), BY_THEN)
  await second.ask('FLUSHALL')
  const found = await until(async () => await isUp(services) && await attemptsIn(second) > 0, BY_THEN)
  t.comment(`hung: promoted after ${Math.round(took)} ms, in use ${Math.round(found)} ms later`)

  first.resume()
  await until(() => isReplica(first), BY_THEN)
  t.ok(await isUp(services))
  await second.kill()
  const tookAgain = await until(() => isPrimary(first), BY_THEN)
  await first.ask('FLUSHALL')
  const foundAgain = await until(async () => await isUp(services) && await attemptsIn(first) > 0, BY_THEN)
  t.comment(`killed: promoted after ${Math.round(tookAgain)} ms, in use ${Math.round(foundAgain)} ms later`)
  over.abort()
  const { counts, slowest } = await going
  t.comment(JSON.stringify({ counts, slowest }))
  t.strictSame(Object.keys(counts).sort(), ALL_GOOD, 'login, verify, refresh and logout go on')
})

t.test('a primary that becomes a replica is left for the one that its address leads to', { ...onPostgres, ...onOwnRedis, timeout: 270_000 }, async t => {
  const [first, second] = [await startRedis(t), await startRedis(t)]
  const proxy = await tcpProxy(`redis://${first.address}`)
  t.teardown(() => proxy.close())
  const services = await startTwo(t, proxy.url)
  const over = new AbortController()
  const going = goOn(services, over.signal)
  await until(async () => await attemptsIn(first) > 0)
  proxy.lead(`redis://${second.address}`)
  await first.ask('REPLICAOF', '127.0.0.1', second.port)
  await until(async () => await attemptsIn(second) > 0, BY_THEN)
  over.abort()
  t.strictSame(Object.keys((await going).counts).sort(), ALL_GOOD)
})

t.test('a failover that is told while a client looks for the primary is not its end', { ...onOwnRedis, timeout: 270_000 }, async t => {
  const primary = await startRedis(t)
  await startRedis(t, '--replicaof', '127.0.0.1', String(primary.port))
  const sentinels = await startSentinels(t, 1, primary, 'sessions')
  const redis = await openRedis(`redis+sentinel://${sentinels.map(({ address }) => address).join()}/sessions`, { warn () {} })
  t.teardown(() => redis.close())
  await until(redis.isConnected, BY_THEN)
  const client = redis.client as Redis
  const { connector } = redis.client as unknown as { connector: { disconnect (): void } }
  const ended = new Promise<void>(resolve => { client.once('end', resolve) })
  client.once('connecting', () => connector.disconnect())
  redis.reconnect()
  await ended
  t.equal(client.status, 'end', 'that is all that ioredis does')
  await until(redis.isConnected, BY_THEN)
  await t.resolves(redis.ping())
})
