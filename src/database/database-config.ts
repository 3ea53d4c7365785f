import type { Config } from '../config.ts'
import type { DatabaseOptions } from './database.ts'

type DatabaseConfig = Pick<Config, 'databaseUrl' | 'databaseDirectUrl' | 'dataDir' | 'databasePoolSize' | 'databaseAcquireTimeout' | 'databaseStatementTimeout'>

/** @returns the options that open the configured database */
export function databaseConfig ({ databaseUrl, databaseDirectUrl, dataDir, databasePoolSize, databaseAcquireTimeout, databaseStatementTimeout }: DatabaseConfig): Omit<DatabaseOptions, 'log'> {
  return {
    ...databaseUrl !== undefined && { url: databaseUrl },
    ...databaseDirectUrl !== undefined && { directUrl: databaseDirectUrl },
    dataDir,
    pool: { max: databasePoolSize, acquireTimeoutMs: databaseAcquireTimeout * 1000, statementTimeoutMs: databaseStatementTimeout * 1000 }
  }
}
