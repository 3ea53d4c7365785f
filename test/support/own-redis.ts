import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import type { Test } from 'tap'
import { temporaryDirectory } from './database.ts'
import { freePort } from './free-port.ts'
import { until } from './until.ts'

/** For tests that need Redis servers of their own. */
export const onOwnRedis = spawnSync('redis-server', ['--version']).status === 0 ? {} : { skip: 'needs the program redis-server' }

/** A Redis server that a test may break. */
export interface OwnRedis {
  readonly port: number
  readonly address: string
  /** Asks the server, over a connection of its own. */
  ask (command: string, ...values: Array<string | number>): Promise<unknown>
  /** Stops its process, which keeps its connections open and answers nothing, or lets it go on. */
  freeze (): void
  resume (): void
  kill (): Promise<void>
}

/** Starts one; it is gone when the test ends. @param options of its configuration, in turn names and values */
export async function startRedis (t: Test, ...options: string[]): Promise<OwnRedis> {
  const directory = await temporaryDirectory(t)
  return await start(t, ['--save', '', '--appendonly', 'no', '--dir', directory, ...options])
}

/** Starts sentinels that watch a primary, and waits until they know each other and its replicas. */
export async function startSentinels (t: Test, count: number, primary: OwnRedis, name: string): Promise<OwnRedis[]> {
  const directory = await temporaryDirectory(t)
  const sentinels: OwnRedis[] = []
  for (let index = 0; index < count; index++) {
    const file = join(directory, `${index}.conf`)
    await writeFile(file, `sentinel monitor ${name} 127.0.0.1 ${primary.port} ${Math.floor(count / 2) + 1}\nsentinel down-after-milliseconds ${name} 1000\nsentinel failover-timeout ${name} 4000\n`)
    sentinels.push(await start(t, ['--sentinel'], file))
  }
  for (const each of sentinels) {
    await until(async () => {
      const facts = new Map(pairs(await each.ask('SENTINEL', 'MASTER', name)))
      return facts.get('num-slaves') !== '0' && facts.get('num-other-sentinels') === String(count - 1)
    }, 30_000)
  }
  return sentinels
}

/** Makes one cluster of servers that were started for it: the first `primaries` share the slots. */
export async function joinCluster (nodes: readonly OwnRedis[], primaries = nodes.length): Promise<void> {
  const [first] = nodes
  for (const [index, node] of nodes.entries()) {
    await node.ask('CLUSTER', 'SET-CONFIG-EPOCH', index + 1)
    if (index < primaries) await node.ask('CLUSTER', 'ADDSLOTSRANGE', Math.floor(16384 * index / primaries), Math.floor(16384 * (index + 1) / primaries) - 1)
    if (first !== undefined && node !== first) await meet(node, first)
  }
  for (const node of nodes) await until(async () => new RegExp(`cluster_state:ok[^]*cluster_known_nodes:${nodes.length}\\b`).test(String(await node.ask('CLUSTER', 'INFO'))), 30_000)
}

/** Has a server join the cluster of another. */
export async function meet (node: OwnRedis, other: OwnRedis): Promise<void> {
  const [[, bus = ''] = []] = pairs(await other.ask('CONFIG', 'GET', 'cluster-port'))
  await node.ask('CLUSTER', 'MEET', '127.0.0.1', other.port, bus)
}

/** Starts servers that are to be nodes of a cluster. */
export async function startClusterNodes (t: Test, count: number): Promise<OwnRedis[]> {
  return await Promise.all(Array.from({ length: count }, async () =>
    startRedis(t, '--cluster-enabled', 'yes', '--cluster-node-timeout', '1000', '--cluster-port', String(await freePort()))))
}

async function start (t: Test, options: string[], ...file: string[]): Promise<OwnRedis> {
  const port = await freePort()
  const child = spawn('redis-server', [...file, '--port', String(port), '--bind', '127.0.0.1', ...options], { stdio: 'ignore' })
  const end = () => { child.kill('SIGKILL') }
  process.once('exit', end)
  const client = new Redis(port, '127.0.0.1', { retryStrategy: () => 100, commandTimeout: 5_000 })
  client.on('error', () => {})
  async function kill (): Promise<void> {
    process.removeListener('exit', end)
    if (child.exitCode !== null || child.signalCode !== null) return
    const gone = once(child, 'exit')
    end()
    await gone
  }
  t.teardown(async () => {
    client.disconnect()
    await kill()
  })
  await client.ping()
  return {
    port,
    address: `127.0.0.1:${port}`,
    ask: (command, ...values) => client.call(command, ...values),
    freeze: () => { child.kill('SIGSTOP') },
    resume: () => { child.kill('SIGCONT') },
    kill
  }
}

function pairs (reply: unknown): Array<[string, string]> {
  if (!Array.isArray(reply)) return Object.entries(reply as Record<string, string>)
  return Array.from({ length: reply.length / 2 }, (_, index) => [String(reply[index * 2]), String(reply[index * 2 + 1])])
}
