/** A Redis server. */
export interface RedisNode { host: string, port: number }

/** Where Redis is. What a URL has beside it, of the names that `ioredis` has for it. */
export type RedisAddress = RedisAccess & (
  /** One server, or one node of a cluster. */
  | { kind: 'server', url: string }
  /** Some nodes of a Redis Cluster, which name the others. */
  | { kind: 'cluster', nodes: RedisNode[] }
  /** Sentinels, and what they call the primary. */
  | { kind: 'sentinel', nodes: RedisNode[], name: string, db: number, sentinelUsername?: string, sentinelPassword?: string })

export interface RedisAccess { username?: string, password?: string, isEncrypted: boolean }

const FORM = /^(rediss?)(\+sentinel)?:\/\/(?:([^/?#]*)@)?([^@/?#]+)(?:\/([^?#]*))?(?:\?([^#]*))?$/
const SENTINEL_PORT = 26379
const EXPECTED = 'must be a URL that begins with redis:// or rediss:// and names a server, or several nodes of a cluster (redis://a:6379,b:6379); or redis+sentinel://a:26379,b:26379/<the name of the primary>'

/**
 * Parses `REDIS_URL`. Errors do not repeat it, as it may contain a password.
 *
 * @throws RangeError that says what is expected
 */
export function parseRedisUrl (text: string): RedisAddress {
  const [, scheme, sentinel, user = '', hosts = '', path = '', query = ''] = FORM.exec(text) ?? []
  if (scheme === undefined) throw new RangeError(EXPECTED)
  const [username = '', password = ''] = user.split(/:(.*)/s).map(decode)
  const access = { isEncrypted: scheme === 'rediss', ...username !== '' && { username }, ...password !== '' && { password } }
  const nodes = hosts.split(',').map(host => toNode(host, sentinel === undefined ? 6379 : SENTINEL_PORT))
  if (sentinel !== undefined) return { kind: 'sentinel', ...access, nodes, ...sentinelParameters(query), ...primary(path) }
  if (nodes.length === 1) return { kind: 'server', ...access, url: text }
  if (path !== '' || query !== '') throw new RangeError('must have nothing after the nodes of a cluster: it has one database alone')
  return { kind: 'cluster', ...access, nodes }
}

/** `<name>` or `<name>/<database>`. */
function primary (path: string): { name: string, db: number } {
  const [name = '', db = '0', ...rest] = path.split('/')
  if (name === '' || rest.length > 0 || !/^\d{1,5}$/.test(db)) throw new RangeError('must name the primary after the sentinels: redis+sentinel://a:26379,b:26379/<name>, or /<name>/<database>')
  return { name: decode(name), db: Number(db) }
}

function sentinelParameters (query: string): { sentinelUsername?: string, sentinelPassword?: string } {
  const parameters = Object.fromEntries(new URLSearchParams(query))
  const { sentinelUsername, sentinelPassword, ...unknown } = parameters
  if (Object.keys(unknown).length > 0) throw new RangeError('takes sentinelUsername and sentinelPassword as parameters, and no others')
  return { ...sentinelUsername !== undefined && { sentinelUsername }, ...sentinelPassword !== undefined && { sentinelPassword } }
}

function toNode (host: string, defaultPort: number): RedisNode {
  if (host === '' || !URL.canParse(`redis://${host}`)) throw new RangeError(EXPECTED)
  const { hostname, port } = new URL(`redis://${host}`)
  return { host: hostname.replace(/^\[|\]$/g, ''), port: port === '' ? defaultPort : Number(port) }
}

function decode (part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}
