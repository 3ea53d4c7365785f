import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { gunzipSync } from 'node:zlib'
import { readMigrations } from '../migration-files.ts'

/**
 * Where the snapshot for this engine and these migrations lies: a fresh, migrated cluster, made by the build. Its
 * name says what is in it, so that one of another state is never taken.
 */
export async function snapshotFile (): Promise<URL> {
  const engine = await readFile(new URL('../package.json', import.meta.resolve('@electric-sql/pglite')), 'utf8')
  const { version } = JSON.parse(engine) as { version: string }
  const hash = createHash('sha256').update(version)
  for (const { name, checksum } of await readMigrations()) hash.update(`\n${name} ${checksum}`)
  return new URL(`dist/embedded-${hash.digest('hex').slice(0, 16)}.tar.gz`, import.meta.resolve('countersign/package.json'))
}

/** The snapshot as the engine takes it, or undefined where none was made: then a first start takes 4 s, not 1. */
export async function readSnapshot (): Promise<Blob | undefined> {
  try {
    return new Blob([gunzipSync(await readFile(await snapshotFile()))])
  } catch {
    return undefined
  }
}
