import type { Database, DatabaseOptions } from './database.ts'

/**
 * Opens the service's database: PostgreSQL where there is a URL, otherwise the embedded engine in `dataDir`. Applies
 * pending migrations unless `migrate` is `false`. Each engine is loaded only by a process that uses it.
 * @throws {DatabaseStartError} with one sentence for the operator; a failed start has changed nothing
 */
export async function openDatabase (options: DatabaseOptions): Promise<Database> {
  return withCheckedChannels(await open(options))
}

/** Lets a database listen to plain identifiers alone: both engines take the name as SQL text. */
export function withCheckedChannels (database: Database): Database {
  return {
    ...database,
    async listen (channel, listener) {
      // Both engines put the name into SQL text.
      if (!/^[a-z_][a-z0-9_]{0,62}$/.test(channel)) throw new TypeError(`No channel can be called "${channel}".`)
      return database.listen(channel, listener)
    }
  }
}

async function open (options: DatabaseOptions) {
  if (options.url !== undefined) {
    const { openPostgres } = await import('./postgres/open-postgres.ts')
    return openPostgres(options.url, options)
  }
  const { openEmbedded } = await import('./embedded/open-embedded.ts')
  return openEmbedded(options)
}
