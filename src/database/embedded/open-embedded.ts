import { resolve } from 'node:path'
import type { PGlite } from '@electric-sql/pglite'
import { PrismaPGlite } from 'pglite-prisma-adapter'
import type { Database, DatabaseOptions, Listener, Subscription } from '../database.ts'
import { createPrismaClient } from '../prisma-client.ts'
import { withTimeout } from '../with-timeout.ts'
import { openPgliteCluster, type PgliteCluster } from './pglite-cluster.ts'
import { prepareDataDirectory } from './data-directory.ts'
import { lockDirectory } from './lock.ts'
import { migrateEmbedded } from './migrate-embedded.ts'
import { createPreparedQuery } from './prepared-query.ts'

export async function openEmbedded (options: DatabaseOptions): Promise<Database> {
  const dataDir = resolve(options.dataDir)
  await prepareDataDirectory(dataDir)
  const lock = await lockDirectory(dataDir)
  try {
    const opened = await openMigrated(dataDir, options)
    return databaseOver(opened, () => opened.engine.close().finally(lock.release))
  } catch (error) {
    await lock.release()
    throw error
  }
}

async function openMigrated (dataDir: string, { migrate, log }: DatabaseOptions): Promise<Opened> {
  const { engine, explain, settled } = await openPgliteCluster(dataDir)
  try {
    const migrated = migrate === false ? [] : await migrateEmbedded(engine, log)
    await settled()
    return { engine, explain, migrated }
  } catch (error) {
    // A damaged engine may fail to close too, which must not hide the first error.
    await engine.close().catch(() => {})
    throw explain(error)
  }
}

interface Opened extends Pick<PgliteCluster, 'engine' | 'explain'> { readonly migrated: readonly string[] }

/**
 * The service's database over an engine that is open and migrated.
 * @param letGo Called once, when the database is closed: Prisma's disconnect leaves the engine running, and with it files not yet written.
 */
export function databaseOver ({ engine, explain, migrated }: Opened, letGo: () => Promise<void>): Database {
  const prisma = createPrismaClient(new PrismaPGlite(engine))
  const query = createPreparedQuery(engine)
  let closing: Promise<void> | undefined

  return {
    engine: 'embedded',
    prisma,
    migrated,
    query,
    queryReserved: query,
    listen: (channel, listener) => listen(engine, channel, listener),
    explainStart: explain,
    async ping () {
      await withTimeout(1_000, engine.query('SELECT 1'))
    },
    close () {
      closing ??= prisma.$disconnect().finally(letGo)
      return closing
    }
  }
}

async function listen (engine: PGlite, channel: string, { onNotify }: Listener): Promise<Subscription> {
  const stop = await engine.listen(channel, onNotify)
  return { close: async () => { if (!engine.closed) await stop() } }
}
