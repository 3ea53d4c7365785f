import { randomUUID } from 'node:crypto'
import type { Log } from './database.ts'
import type { Migration } from './migration-files.ts'
import { errorCode, errorMessage } from '../config/error-code.ts'
import { DatabaseStartError } from './database-start-error.ts'

/** One exclusive connection without a statement timeout: a transaction spans several calls. */
export interface MigrationSession {
  rows<Row> (text: string, values?: readonly unknown[]): Promise<Row[]>
  /** Runs a whole script by the simple protocol: any number of statements, including function bodies with `;`. */
  script (sql: string): Promise<void>
}

interface Recorded {
  migration_name: string
  checksum: string
  finished_at: Date | null
}

// The lock of Prisma's own migrate, so that the two never run at the same time.
const PRISMA_LOCK = 72707369

const CREATE_TABLE = `
  CREATE TABLE IF NOT EXISTS _prisma_migrations (
    id VARCHAR(36) PRIMARY KEY NOT NULL,
    checksum VARCHAR(64) NOT NULL,
    finished_at TIMESTAMPTZ,
    migration_name VARCHAR(255) NOT NULL,
    logs TEXT,
    rolled_back_at TIMESTAMPTZ,
    started_at TIMESTAMPTZ NOT NULL DEFAULT now(),
    applied_steps_count INTEGER NOT NULL DEFAULT 0
  )`

/**
 * Applies the pending migrations and returns their names, in order. Safe to run in many processes at once: each migration
 * is applied once, completely or not at all. With nothing pending it runs one SELECT and takes no lock.
 * Unknown migrations in the database are from a newer version, and are ignored.
 *
 * It writes Prisma's own `_prisma_migrations`, so that it can alternate with `prisma migrate deploy`. A migration cannot
 * contain what cannot run in a transaction: `CREATE INDEX CONCURRENTLY`, or using an enum value that the same script adds.
 * @throws {DatabaseStartError} `migration_edited`, `migration_half_failed` before anything is changed;
 *   `migration_failed` with that migration rolled back
 */
export async function migrate (session: MigrationSession, migrations: readonly Migration[], log: Log): Promise<string[]> {
  const pending = pendingAmong(migrations, await readRecordsOfAnyDatabase(session))
  const applied: string[] = []
  for (const migration of pending) {
    if (await applyOnce(session, migrations, migration)) {
      applied.push(migration.name)
      log.info({ migration: migration.name }, 'migration applied')
    }
  }
  return applied
}

async function applyOnce (session: MigrationSession, migrations: readonly Migration[], migration: Migration) {
  await session.script('BEGIN')
  try {
    await session.rows(`SELECT pg_advisory_xact_lock(${PRISMA_LOCK})::text`)
    await session.script(CREATE_TABLE)
    const stillPending = pendingAmong(migrations, await readRecords(session)).includes(migration)
    if (stillPending) {
      await runScript(session, migration)
      await session.rows(
        `INSERT INTO _prisma_migrations (id, checksum, migration_name, started_at, finished_at, applied_steps_count)
         VALUES ($1, $2, $3, now(), clock_timestamp(), 1)`,
        [randomUUID(), migration.checksum, migration.name]
      )
    }
    await session.script('COMMIT')
    return stillPending
  } catch (error) {
    // If the connection failed, that rolls back too.
    await session.script('ROLLBACK').catch(() => {})
    throw error
  }
}

async function runScript (session: MigrationSession, migration: Migration) {
  try {
    await session.script(migration.sql)
  } catch (error) {
    const reason = errorMessage(error)
    throw new DatabaseStartError('migration_failed',
      `Migration ${migration.name} failed and was rolled back: ${reason}.`, error)
  }
}

function pendingAmong (migrations: readonly Migration[], records: readonly Recorded[]) {
  return migrations.filter(migration => {
    const rows = records.filter(record => record.migration_name === migration.name)
    if (rows.some(row => row.finished_at === null)) {
      throw new DatabaseStartError('migration_half_failed',
        `Migration ${migration.name} was begun by another tool and never finished: mend the database, then settle it with prisma migrate resolve.`)
    }
    if (rows.some(row => row.checksum !== migration.checksum)) {
      throw new DatabaseStartError('migration_edited',
        `Migration ${migration.name} was edited after this database applied it: restore the file and put the change in a new migration.`)
    }
    return rows.length === 0
  })
}

function readRecords (session: MigrationSession) {
  return session.rows<Recorded>(
    'SELECT migration_name, checksum, finished_at FROM _prisma_migrations WHERE rolled_back_at IS NULL'
  )
}

async function readRecordsOfAnyDatabase (session: MigrationSession) {
  try {
    return await readRecords(session)
  } catch (error) {
    const tableIsMissing = errorCode(error) === '42P01'
    if (tableIsMissing) return []
    throw error
  }
}
