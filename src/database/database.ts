import type { Prisma, PrismaClient } from '../generated/prisma/client.ts'
import type { DatabaseStartError } from './database-start-error.ts'
import type { Statement, StatementValues } from './statement.ts'

/** The Prisma client of this service: it omits a user's password hash unless a query asks for it. */
export type Db = PrismaClient<never, { user: { passwordHash: true } }>

/** The argument of `db.$transaction(async tx => …)`. On the embedded engine every query inside must go through it. */
export type DbTransaction = Omit<Db, '$connect' | '$disconnect' | '$on' | '$transaction' | '$extends'>

export type { Prisma, Statement }

export interface Listener {
  /** Called with the payload of every notification. */
  onNotify (payload: string): void
  /** Called once, when the listening connection is lost: notifications may have been missed. Listen again. */
  onLost (cause: Error): void
}

export interface Subscription { close (): Promise<void> }

export interface Database {
  readonly engine: 'postgres' | 'embedded'
  readonly prisma: Db
  /** Names of the migrations this opening applied, in order. */
  readonly migrated: readonly string[]
  /**
   * Runs one statement without Prisma, for the few places where its cost matters.
   * A statement that `statement()` compiled takes its values by name; any other takes them in the order of `$1`, `$2` and so on.
   * Both engines give the same rows: int8 → number (bigint beyond 2^53), timestamptz → Date, bytea → Buffer,
   * uuid, enums, numeric and text → string. Parameters may be Date, bigint, Buffer, arrays and null.
   */
  query<Row> (statement: Statement, values: StatementValues): Promise<Row[]>
  /**
   * The same, on Postgres over connections that requests cannot use up: for what decides whether this process may go on. A
   * statement has 2 s.
   */
  queryReserved<Row> (statement: Statement, values: StatementValues): Promise<Row[]>
  /**
   * Listens for `NOTIFY channel`. On Postgres this uses a connection of its own, which is monitored; it does not reconnect.
   * @param channel a plain identifier: `[a-z_][a-z0-9_]*`
   */
  listen (channel: string, listener: Listener): Promise<Subscription>
  /** Explains why the first statements of a start failed, in one sentence that names the database's address. */
  explainStart (error: unknown): DatabaseStartError
  /** Resolves when the database answers within 1 s and takes writes, rejects otherwise: with `DatabaseReadOnly` where it only answers. */
  ping (): Promise<void>
  /** Waits for running statements and closes every connection. Calling it again does nothing. */
  close (): Promise<void>
}

export interface Log {
  info (details: object, message?: string): void
  warn (details: object, message?: string): void
  error (details: object, message?: string): void
}

export interface DatabaseOptions {
  /** `postgres://user:password@host:port/database`; without it the embedded engine opens `dataDir`. */
  url?: string
  /** The database itself, where `url` leads to a pooler in transaction mode: for migrations and LISTEN. */
  directUrl?: string
  /** The directory of the embedded engine's cluster; created when missing. */
  dataDir: string
  pool?: {
    /** Most connections held at once for requests; three more are for LISTEN, the ledger and the health check. Default 10. */
    max?: number
    /** How long a statement waits for a connection, in ms. Default 2,000. */
    acquireTimeoutMs?: number
    /** How long a statement may run, in ms. Default 3,000. */
    statementTimeoutMs?: number
  }
  /** `false` does not apply pending migrations. Default `true`. */
  migrate?: boolean
  log: Log
}
