/** What the log has of an error. */
export interface SerializedError {
  type: string
  message: string
  stack?: string
  cause?: SerializedError
  errors?: SerializedError[]
  [name: string]: unknown
}

// What identifies an error, and never quotes data: not the `detail`, `hint`, `where` and `internalQuery` of a database error, which
// contain rows, nor the parameters, `meta` and commands that drivers attach.
const IDENTIFYING = ['code', 'errno', 'syscall', 'hostname', 'address', 'port', 'severity', 'schema', 'table', 'column', 'constraint', 'routine', 'kind', 'originalCode', 'modelName', 'statusCode', 'reason']

// Classes of SQLSTATEs whose messages name objects of the schema, and no values: connections, constraints, transactions,
// authorization, syntax, resources, operators and the system. Data exceptions (22) and raised ones (P0) quote values.
const SQL_STATE = /^(?=.*\d)[0-9A-Z]{5}$/
const PLAIN_SQL_STATE = /^(08|23|25|26|28|3D|3F|40|42|53|54|55|57|58|XX)/

const MAX_TEXT = 1_000
const MAX_DEPTH = 6
const MAX_ERRORS = 10

/**
 * Serializes an error for the log, with its causes, without the data that it quotes: the detail of a database error contains a
 * row, with its address and hash, and the message of a parser what it could not parse.
 */
export function serializeError (error: unknown, depth = 0): SerializedError {
  if (typeof error !== 'object' || error === null) return { type: typeof error, message: 'Not an error' }
  const { stack, errors } = error as { stack?: unknown, errors?: unknown }
  const cause = causeOf(error)
  const type = typeOf(error)
  const message = messageOf(error, type)
  return {
    type,
    message,
    ...Object.fromEntries(IDENTIFYING.map(name => [name, property(error, name)]).filter(([, value]) => typeof value === 'number' || typeof value === 'string').map(([name, value]) => [name, bounded(value as string | number)])),
    ...typeof stack === 'string' && { stack: [`${type}: ${message}`, ...framesOf(stack)].join('\n') },
    ...cause !== undefined && depth < MAX_DEPTH && { cause: serializeError(cause, depth + 1) },
    ...Array.isArray(errors) && depth < MAX_DEPTH && { errors: errors.slice(0, MAX_ERRORS).map(inner => serializeError(inner, depth + 1)) }
  }
}

/** For every logger that the service writes errors to, under `err`. */
export const logSerializers = { err: (error: unknown) => serializeError(error) }

function messageOf (error: object, type: string): string {
  const [message, code, kind] = ['message', 'code', 'kind'].map(name => text(error, name))
  // Prisma repeats the arguments of a call, and the message and the detail of the database.
  if (type.startsWith('PrismaClient')) return code === '' ? 'Database request failed' : `Database request failed (${code})`
  if (type === 'DriverAdapterError' || kind !== '') return 'Database request failed'
  // It quotes what could not be parsed.
  if (type === 'SyntaxError') return 'Invalid syntax'
  // Redis: the first word is the code.
  if (type === 'ReplyError') return /^[A-Z]{2,20}(?= |$)/.exec(message ?? '')?.[0] ?? 'Redis request failed'
  if (SQL_STATE.test(code ?? '') && 'severity' in error && !PLAIN_SQL_STATE.test(code ?? '')) return 'Database request failed'
  return bounded(message ?? '')
}

function typeOf (error: object): string {
  const name = text(error, 'name')
  return bounded(name === '' || name === 'Error' || name === 'error' ? error.constructor?.name ?? 'Error' : name)
}

// Prisma keeps the driver's error in its meta.
function causeOf (error: object): object | undefined {
  const cause = property(error, 'cause') ?? property(property(error, 'meta'), 'driverAdapterError')
  return typeof cause === 'object' && cause !== null ? cause : undefined
}

function framesOf (stack: string): string[] {
  return stack.split('\n').filter(line => /^ {4}at [^\n]{1,500}$/.test(line))
}

function property (value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined
}

function text (value: object, name: string): string {
  const found = property(value, name)
  return typeof found === 'string' ? found : ''
}

function bounded<T extends string | number> (value: T): T
function bounded (value: string | number): string | number {
  return typeof value === 'string' ? value.slice(0, MAX_TEXT) : value
}
