import { readConfig, type Config } from '../config.ts'
import type { Database } from '../database/database.ts'
import { openDatabase } from '../database/open.ts'

const QUIET = { info () {}, warn () {}, error () {} }

/** Opens the configured database for one command, and closes it after. */
export async function withDatabase<T> (use: (database: Database, config: Config) => Promise<T>): Promise<T> {
  const config = readConfig(process.env)
  const database = await openDatabase({
    ...config.databaseUrl !== undefined && { url: config.databaseUrl },
    dataDir: config.dataDir,
    log: QUIET
  })
  try {
    return await use(database, config)
  } finally {
    await database.close()
  }
}
