import { setTimeout as pause } from 'node:timers/promises'
import t from 'tap'
import { onPostgres } from '../support/database.ts'
import { joinCluster, meet, onOwnRedis, startClusterNodes, type OwnRedis } from '../support/own-redis.ts'
import { type TestService } from '../support/service.ts'
import { until } from '../support/until.ts'
import { ALL_GOOD, checkOf, goOn, isUp, startTwo } from './redis-load.ts'

/** What instances complained of, of Redis. */
const warnings = (services: readonly TestService[]) => services.flatMap(({ log }) => log.filter(({ level, msg }) => level >= 40 && msg.startsWith('redis')).map(({ msg, err }) => [msg, err]))

const keysIn = async (node: OwnRedis): Promise<number> => Number(await node.ask('DBSIZE'))

/** @returns those of a cluster that hold attempts, and those that do not */
async function byAttempts (primaries: readonly OwnRedis[]): Promise<[OwnRedis | undefined, OwnRedis[]]> {
  const slot = Number(await primaries[0]?.ask('CLUSTER', 'KEYSLOT', 'countersign:{attempts}:x'))
  const owner = primaries[Math.floor(slot / 16384 * primaries.length)]
  return [owner, primaries.filter(node => node !== owner)]
}

for (const [name, count, urlOf] of [
  ['the one node of a cluster', 1, ([node]: readonly OwnRedis[]) => `redis://${node?.address ?? ''}`],
  ['one of three nodes of a cluster', 3, ([node]: readonly OwnRedis[]) => `redis://${node?.address ?? ''}`],
  ['all nodes of a cluster', 3, (nodes: readonly OwnRedis[]) => `redis://${nodes.map(({ address }) => address).join()}`]
] as const) {
  t.test(`REDIS_URL names ${name}`, { ...onPostgres, ...onOwnRedis, timeout: 120_000 }, async t => {
    const nodes = await startClusterNodes(t, count)
    await joinCluster(nodes)
    const services = await startTwo(t, urlOf(nodes))
    const over = new AbortController()
    const going = goOn(services, over.signal)
    // Sessions that stay: what is logged out leaves no key.
    const { email, password } = await services[0].person()
    await until(async () => {
      await services[0].call('POST /auth/login', { json: { email, password, deliver: 'session' }, headers: { 'x-countersign': '1' } })
      return (await Promise.all(nodes.map(keysIn))).every(keys => keys > 0)
    }, 30_000)
    over.abort()
    const { counts } = await going
    t.strictSame(Object.keys(counts).sort(), ALL_GOOD, 'and every node is used')
    t.strictSame(warnings(services), [], 'nothing is redirected, and no command asks two nodes')
  })
}

t.test('a cluster of one node grows', { ...onPostgres, ...onOwnRedis, timeout: 120_000 }, async t => {
  const nodes = await startClusterNodes(t, 2)
  const [first, second] = nodes
  if (first === undefined || second === undefined) throw new Error('no node was started')
  await joinCluster([first])
  const services = await startTwo(t, `redis://${first.address}`)
  await goOn(services, AbortSignal.abort())
  t.ok(await keysIn(first) > 0)
  await second.ask('CLUSTER', 'SET-CONFIG-EPOCH', 2)
  await meet(second, first)
  for (const node of [first, second]) await until(async () => /cluster_known_nodes:2/.test(String(await node.ask('CLUSTER', 'INFO'))), 30_000)
  await first.ask('FLUSHALL')
  for (const node of [first, second]) {
    await node.ask('CLUSTER', 'FLUSHSLOTS')
    // What the other has told of it.
    await node.ask('CLUSTER', 'DELSLOTSRANGE', 0, 16383).catch(() => {})
  }
  await first.ask('CLUSTER', 'ADDSLOTSRANGE', 0, 1000)
  await second.ask('CLUSTER', 'ADDSLOTSRANGE', 1001, 16383)
  for (const node of [first, second]) await until(async () => /cluster_state:ok/.test(String(await node.ask('CLUSTER', 'INFO'))), 30_000)

  const over = new AbortController()
  const going = goOn(services, over.signal)
  await until(async () => await keysIn(second) > 0, 30_000)
  over.abort()
  t.strictSame(Object.keys((await going).counts).sort(), ALL_GOOD)
  t.ok(await isUp(services))
})

t.test('nodes of a cluster are killed, under load', { ...onPostgres, ...onOwnRedis, timeout: 180_000 }, async t => {
  const nodes = await startClusterNodes(t, 4)
  await joinCluster(nodes, 3)
  const [replica] = nodes.slice(3)
  const [holder, others] = await byAttempts(nodes.slice(0, 3))
  if (holder === undefined || replica === undefined) throw new Error('no node holds the attempts')
  await replica.ask('CLUSTER', 'REPLICATE', String(await holder.ask('CLUSTER', 'MYID')))
  await until(async () => /master_link_status:up/.test(String(await replica.ask('INFO', 'replication'))), 30_000)
  const services = await startTwo(t, `redis://${nodes.map(({ address }) => address).join()}`)
  const over = new AbortController()
  const going = goOn(services, over.signal)

  await until(async () => await keysIn(holder) > 0)
  await holder.kill()
  const took = await until(async () => /role:master/.test(String(await replica.ask('INFO', 'replication'))), 30_000)
  const found = await until(() => isUp(services), 30_000)
  const before = await keysIn(replica)
  await until(async () => await keysIn(replica) !== before)
  t.comment(`the replica was promoted after ${Math.round(took)} ms, and in use ${Math.round(found)} ms later`)

  await others[0]?.kill()
  await until(async () => await checkOf(services[0]) === 'down', 30_000)
  await pause(2_000)
  t.equal((await services[0].call('GET /health/ready')).status, 200, 'a cluster that is down leaves the service ready')
  over.abort()
  const { counts, slowest } = await going
  t.comment(JSON.stringify({ counts, slowest }))
  t.strictSame(Object.keys(counts).sort(), ALL_GOOD, 'login, verify, refresh and logout go on')
})
