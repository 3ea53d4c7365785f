import { isError } from '../config/error-code.ts'

/** The database did not answer in time, or no connection to it could be opened: then `cause` is why. */
export class DatabaseUnavailable extends Error {
  override readonly name = 'DatabaseUnavailable'
}

/** The database answers, but takes no writes: it is a standby, or was made read-only. */
export class DatabaseReadOnly extends DatabaseUnavailable {
  readonly state = 'read_only'
}

/**
 * Whether the database failed, so that the same request may succeed later (503): whatever kept a connection from opening, it
 * was disconnected, gave no answer or no lock in time, is shutting down, or is read-only after a failover.
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
 * Whether a statement of `Database.query` may have been committed although it failed: its connection was lost, or no answer came
 * in time, once it had been sent. What the server answers with an error it has rolled back; what found no connection never ran.
 */
export function mayHaveCommitted (error: unknown): boolean {
  if (!isError(error) || error instanceof DatabaseUnavailable) return false
  return LOST_ANSWER_CODE.test(text(error, 'code')) || LOST_ANSWER_MESSAGE.test(error.message)
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

// Connection exceptions, insufficient resources, failures of its disk, shutdown, statement timeout, a lock that was not had
// in time, idle in transaction, read-only.
const UNAVAILABLE_SQL_STATE = /^(08\w{3}|53\w{3}|58\w{3}|57P0\d|57014|55P03|25P03|25006)$/

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

// Of the socket, or the server's last words before it closed the connection: 08 connection exceptions, 57P0x shutdown, crash and
// a database that was dropped.
const LOST_ANSWER_CODE = /^(ECONNRESET|ECONNABORTED|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|08\w{3}|57P0[124])$/

// Errors without a code, of `pg`.
const LOST_ANSWER_MESSAGE = /^(Query read timeout|Connection terminated)/

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
