import { readConfig, type Config } from '../config.ts'
import type { Database } from '../database/database.ts'
import { openDatabase } from '../database/open-database.ts'
import { databaseConfig } from '../database/database-config.ts'

const QUIET = { info () {}, warn () {}, error () {} }

/** Opens the configured database for one command, and closes it afterwards. */
export async function withDatabase<T> (use: (database: Database, config: Config) => Promise<T>, config = readConfig(process.env)): Promise<T> {
  const database = await openDatabase({ ...databaseConfig(config), log: QUIET })
  try {
    return await use(database, config)
  } finally {
    await database.close()
  }
}
