import type { Test } from 'tap'
import { testDatabase } from '../support/database.ts'
import type { Settings } from '../support/service.ts'
import type { Command } from './command.ts'

/** The least that a configuration may ask of argon2. */
export const CHEAP = { ARGON2_MEMORY_KIB: '7168', ARGON2_ITERATIONS: '1' }

/** What `countersign serve` needs, on a database of the test's own. */
export async function freshSettings (t: Test): Promise<Settings> {
  const { url, dataDir } = await testDatabase(t)
  return { ...CHEAP, PORT: '0', DATA_DIR: dataDir, ...url !== undefined && { DATABASE_URL: url } }
}

/** Where a service that was just started listens. */
export async function originOf (service: Command): Promise<string> {
  const [, origin = ''] = await service.says(/"msg":"Server listening at (http:[^"]+)"/)
  return origin
}
