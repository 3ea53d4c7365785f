import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { gunzipSync } from 'node:zlib'
import { readMigrations } from '../migration-files.ts'

/**
 * The file of the snapshot for this engine and these migrations: a fresh, migrated cluster, made by the build. Its name is
 * derived from its content, so that an outdated one is never used.
 */
export async function snapshotFile (): Promise<URL> {
  const engine = await readFile(new URL('../package.json', import.meta.resolve('@electric-sql/pglite')), 'utf8')
  const { version } = JSON.parse(engine) as { version: string }
  const hash = createHash('sha256').update(version)
  for (const { name, checksum } of await readMigrations()) hash.update(`\n${name} ${checksum}`)
  return new URL(`dist/embedded-${hash.digest('hex').slice(0, 16)}.tar.gz`, import.meta.resolve('countersign/package.json'))
}

/** The snapshot, for the engine to load; `undefined` where none was made: a first start then takes 4 s, not 1. */
export async function readSnapshot (): Promise<Blob | undefined> {
  try {
    return new Blob([gunzipSync(await readFile(await snapshotFile()))])
  } catch {
    return undefined
  }
}
