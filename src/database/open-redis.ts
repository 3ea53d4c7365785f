import type { Cluster, Redis } from 'ioredis'
import { parseRedisUrl } from '../config/redis-url.ts'
import type { Log } from './database.ts'
import { createCluster, createRedisClient } from './redis-clients.ts'

// Milliseconds. Counted in parts: a process that was busy for longer has not read an answer that has long come, and must first
// get to it.
const TIMEOUT_PART = 50
const TIMEOUT_PARTS = 5
const BEGIN_ANEW_AFTER = 500

/** Redis gave no answer in time: the connection may be lost without a word. */
export class RedisTimeoutError extends Error {
  override readonly name = 'RedisTimeoutError'
}

/** A script in Lua that a client has as one of its commands. The keys that it takes are in one slot of a cluster. */
export interface RedisScript { lua: string }

/** The service's connection to Redis. */
export interface RedisConnection {
  /** For one command: it may be another afterwards. */
  readonly client: Redis | Cluster
  /** Adds a script to the commands of the client, whichever it is. */
  define (name: string, script: RedisScript): void
  /** Whether there is a connection: without one, commands fail at once. */
  isConnected (): boolean
  /** Gives up a connection that does not answer, for a new one. */
  reconnect (): void
  /** Settles as a command does, or rejects 250 ms later with a `RedisTimeoutError`. */
  answer<T> (command: Promise<T>): Promise<T>
  /** Resolves when Redis answers, rejects otherwise. */
  ping (): Promise<void>
  close (): void
}

/**
 * Connects to Redis, in the background and again whenever the connection is lost. A command fails at once while there is no
 * connection, and whoever waits for one by `answer` waits 250 ms: Redis is for speed, and whatever it holds can be had from
 * Postgres. A server that turns out to be a node of a cluster is left for the cluster.
 *
 * @param url as `REDIS_URL`
 */
export async function openRedis (url: string, log: Pick<Log, 'warn'>): Promise<RedisConnection> {
  const address = parseRedisUrl(url)
  const scripts = new Map<string, RedisScript>()
  let isDown = false
  let isClosed = false
  let isKnown = false
  let client: Redis | Cluster

  function use (next: Redis | Cluster): void {
    client = next
    isKnown = next.isCluster
    for (const [name, script] of scripts) next.defineCommand(name, script)
    next.on('error', (error: Error) => {
      if (!isDown) log.warn({ err: error }, 'redis is unavailable; Postgres stands in for it')
      isDown = true
    })
    next.on('ready', () => {
      isDown = false
      if (!next.isCluster) leaveForCluster(next as Redis).catch(() => { isKnown = true })
    })
    // ioredis gives up for good where Sentinels tell of a failover while it asks them for the primary.
    next.on('end', () => {
      setTimeout(() => { if (!isClosed && client === next && next.status === 'end') next.connect().catch(() => {}) }, BEGIN_ANEW_AFTER).unref()
    })
  }

  // Any node names the others; one without others may not even know its own address, and needs no more than a client. Whoever
  // may not ask has not been given a cluster.
  async function leaveForCluster (node: Redis): Promise<void> {
    const [, others = 1] = /^cluster_known_nodes:(\d+)/m.exec(String(await withinTimeout(node.cluster('INFO')))) ?? []
    const { host = 'localhost', port = 6379 } = node.options
    const cluster = Number(others) > 1 ? await createCluster([{ host, port }], address) : undefined
    isKnown = true
    if (cluster === undefined || isClosed || client !== node) return cluster?.disconnect()
    node.disconnect()
    use(cluster)
  }

  // A node that was alone, and is not any more.
  function onFailure (error: unknown): never {
    if (!client.isCluster && error instanceof Error && error.message.startsWith('MOVED ')) leaveForCluster(client as Redis).catch(() => {})
    throw error
  }

  use(await createRedisClient(address))

  // A node answers a PING also while the cluster is down, and keys are what is asked for.
  async function ask (): Promise<void> {
    const reply: unknown = await (client.isCluster ? withinTimeout(client.exists('countersign:{attempts}')) : withinTimeout(client.ping()))
    if (reply !== (client.isCluster ? 0 : 'PONG')) throw new Error('Redis answered a PING with something else')
  }

  return {
    get client () { return client },
    define (name, script) {
      scripts.set(name, script)
      client.defineCommand(name, script)
    },
    isConnected: () => isKnown && client.status === 'ready',
    reconnect () {
      if (client.isCluster) client.disconnect(true)
      else (client as Redis).stream.destroy()
    },
    answer: command => withinTimeout(command).catch(onFailure),
    // A single slow response is not an outage.
    ping: () => ask().catch(ask),
    close () {
      isClosed = true
      client.disconnect()
    }
  }
}

function withinTimeout<T> (command: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    let parts = 0
    let timer = setTimeout(onPart, TIMEOUT_PART)
    function onPart (): void {
      if (++parts === TIMEOUT_PARTS) reject(new RedisTimeoutError(`Redis did not answer within ${TIMEOUT_PART * TIMEOUT_PARTS} ms`))
      else timer = setTimeout(onPart, TIMEOUT_PART)
    }
    command.then(resolve, reject).finally(() => clearTimeout(timer))
  })
}
