/** The database did not answer in time. */
export class DatabaseUnavailable extends Error {
  override readonly name = 'DatabaseUnavailable'
}

/**
 * Whether the database failed, so that the same request may succeed later (503): it was unreachable or disconnected, gave
 * no connection or no answer in time, is shutting down, has no connections left, or is read-only after a failover.
 * Takes errors of `pg`, of the embedded engine and of Prisma over either, and Prisma's wrappers of them.
 */
export function isDatabaseUnavailable (error: unknown): boolean {
  return layers(error).some(layer =>
    layer instanceof DatabaseUnavailable ||
    UNAVAILABLE_CODES.has(text(layer, 'code')) ||
    UNAVAILABLE_SQL_STATE.test(text(layer, 'code')) ||
    UNAVAILABLE_SQL_STATE.test(text(layer, 'originalCode')) ||
    UNAVAILABLE_KINDS.has(text(layer, 'kind')) ||
    UNAVAILABLE_MESSAGE.test(text(layer, 'message')))
}

/**
 * The name of the unique constraint or index that a write violated, such as `users_email_key`, the same on both engines;
 * `undefined` for any other error.
 */
export function violatedConstraint (error: unknown): string | undefined {
  for (const layer of layers(error)) {
    const isUniqueViolation = text(layer, 'code') === '23505' || text(layer, 'originalCode') === '23505'
    if (!isUniqueViolation) continue
    const constraint = property(layer, 'constraint')
    const name = typeof constraint === 'string' ? constraint : property(constraint, 'index')
    if (typeof name === 'string') return name
    // On the embedded engine Prisma gives only the columns, but the message names the constraint.
    return /"(.+)"/.exec(text(layer, 'originalMessage'))?.[1]
  }
  return undefined
}

const UNAVAILABLE_CODES = new Set([
  'ECONNREFUSED', 'ECONNRESET', 'ECONNABORTED', 'EPIPE', 'ETIMEDOUT', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH',
  // Prisma: unreachable, timed out, closed, no connection from the pool, no transaction in time, too many connections.
  'P1001', 'P1002', 'P1008', 'P1017', 'P2024', 'P2028', 'P2037'
])

// Connection exceptions, insufficient resources, shutdown, statement timeout, idle in transaction, read-only.
const UNAVAILABLE_SQL_STATE = /^(08\w{3}|53\w{3}|57P0\d|57014|25P03|25006)$/

const UNAVAILABLE_KINDS = new Set(['DatabaseNotReachable', 'ConnectionClosed', 'SocketTimeout', 'TooManyConnections'])

// Errors without a code, of `pg`, its pool and the embedded engine.
const UNAVAILABLE_MESSAGE = new RegExp('^(' + [
  'timeout exceeded when trying to connect',
  'timeout expired',
  'Query read timeout',
  'Connection terminated',
  'Client has encountered a connection error',
  'Client was closed',
  'Cannot use a pool after calling end',
  'PGlite is clos'
].join('|') + ')')

/** The error and the errors that it wraps, outermost first. */
function layers (error: unknown): object[] {
  const found: object[] = []
  const waiting = [error]
  for (const layer of waiting) {
    if (typeof layer !== 'object' || layer === null || found.includes(layer)) continue
    found.push(layer)
    waiting.push(property(layer, 'cause'), property(property(layer, 'meta'), 'driverAdapterError'))
  }
  return found
}

function property (value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined
}

function text (layer: object, name: string) {
  const value = property(layer, name)
  return typeof value === 'string' ? value : ''
}
