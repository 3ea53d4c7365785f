import type { Prisma, PrismaClient } from '../generated/prisma/client.ts'
import type { DatabaseStartError } from './database-start-error.ts'
import type { Statement, StatementValues } from './statement.ts'

/** The Prisma client as this service uses it: a user comes without the password hash unless a query asks for it. */
export type Db = PrismaClient<never, { user: { passwordHash: true } }>

/** What `db.$transaction(async (tx) => …)` hands on. On the embedded engine every query inside must go through it. */
export type DbTransaction = Omit<Db, '$connect' | '$disconnect' | '$on' | '$transaction' | '$extends'>

export type { Prisma, Statement }

export interface Listener {
  /** Called with the payload of every notification. */
  onNotify (payload: string): void
  /** Called once, when the listening connection is gone: what was sent since is unknown. Listen again. */
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
   * Hears `NOTIFY channel`. On Postgres over a connection of its own, which is watched; it does not reconnect.
   * @param channel a plain identifier: `[a-z_][a-z0-9_]*`
   */
  listen (channel: string, listener: Listener): Promise<Subscription>
  /** What it means that a start fails on its first statements: one sentence that names where the database is. */
  explainStart (error: unknown): DatabaseStartError
  /** Resolves when the database answers within 1 s, rejects otherwise. */
  ping (): Promise<void>
  /** Lets running statements finish and closes every connection. Calling it again does nothing. */
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
  /** Where the embedded engine keeps its cluster; made when missing. */
  dataDir: string
  pool?: {
    /** Most connections held at once. Default 10. */
    max?: number
    /** How long a statement waits for a connection, in ms. Default 2,000. */
    acquireTimeoutMs?: number
    /** How long a statement may run, in ms. Default 3,000. */
    statementTimeoutMs?: number
  }
  /** `false` leaves pending migrations alone. Default `true`. */
  migrate?: boolean
  log: Log
}
