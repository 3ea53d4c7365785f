import type { Cluster, Redis } from 'ioredis'
import type { RedisAddress, RedisAccess, RedisNode } from '../config/redis-url.ts'

// For what nobody waits for, such as the first command of a connection. Milliseconds.
const COMMAND_TIMEOUT = 2_000
const CONNECT_TIMEOUT = 2_000
// A cluster's nodes are asked for its slots so often, in ms: a failover that no command runs into is found, too.
const SLOTS_EVERY = 5_000
// Whoever waits for a command waits 250 ms at most.
const REDIRECTIONS = 3
const REDIRECTION_PAUSE = 20

const retryStrategy = (attempt: number): number => Math.min(100 * attempt, 2_000)

// A command fails at once while there is no connection.
const SERVER = {
  commandTimeout: COMMAND_TIMEOUT,
  connectTimeout: CONNECT_TIMEOUT,
  maxRetriesPerRequest: 0,
  enableOfflineQueue: false,
  retryStrategy,
  // It was a primary, and has become a replica: its address, or the sentinels, may lead to another by now.
  reconnectOnError: (error: Error) => error.message.startsWith('READONLY')
}

/** Makes a client of a server, of whichever the sentinels call the primary, or of a cluster. */
export async function createRedisClient (address: RedisAddress): Promise<Redis | Cluster> {
  // Loaded only where Redis is configured.
  const { Redis } = await import('ioredis')
  const { kind, isEncrypted, username, password } = address
  if (kind === 'cluster') return createCluster(address.nodes, address)
  if (kind === 'server') return new Redis(address.url, SERVER)
  const { nodes: sentinels, name, db, sentinelUsername, sentinelPassword } = address
  return new Redis({
    ...SERVER,
    sentinels,
    name,
    db,
    // They tell of a failover: a primary that hangs does not close its connections.
    failoverDetector: true,
    sentinelReconnectStrategy: retryStrategy,
    sentinelRetryStrategy: retryStrategy,
    ...username !== undefined && { username },
    ...password !== undefined && { password },
    ...sentinelUsername !== undefined && { sentinelUsername },
    ...sentinelPassword !== undefined && { sentinelPassword },
    ...isEncrypted && { tls: {}, sentinelTLS: {}, enableTLSForSentinelMode: true }
  })
}

/** @param nodes some of the cluster, which name the others */
export async function createCluster (nodes: readonly RedisNode[], { isEncrypted, username, password }: RedisAccess): Promise<Cluster> {
  const { Cluster } = await import('ioredis')
  return new Cluster([...nodes], {
    enableOfflineQueue: false,
    clusterRetryStrategy: retryStrategy,
    slotsRefreshInterval: SLOTS_EVERY,
    maxRedirections: REDIRECTIONS,
    retryDelayOnFailover: REDIRECTION_PAUSE,
    retryDelayOnClusterDown: REDIRECTION_PAUSE,
    retryDelayOnTryAgain: REDIRECTION_PAUSE,
    // A certificate names hosts, not the addresses that they are found at.
    ...isEncrypted && { dnsLookup: (host, callback) => { callback(null, host) } },
    redisOptions: {
      commandTimeout: COMMAND_TIMEOUT,
      connectTimeout: CONNECT_TIMEOUT,
      ...username !== undefined && { username },
      ...password !== undefined && { password },
      ...isEncrypted && { tls: {} }
    }
  })
}
