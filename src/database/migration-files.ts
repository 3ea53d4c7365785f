import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'

export interface Migration { readonly name: string, readonly sql: string, readonly checksum: string }

/** The migrations of this version of the service, whether it runs from dist/, from .build/ or as a dependency. */
export const MIGRATIONS_DIRECTORY = new URL('prisma/migrations/', import.meta.resolve('countersign/package.json'))

/** Reads every migration of a directory, oldest first, with Prisma's checksum: the sha256 of its script. */
export async function readMigrations (directory: URL = MIGRATIONS_DIRECTORY): Promise<Migration[]> {
  const entries = await readdir(directory, { withFileTypes: true })
  const names = entries.filter(entry => entry.isDirectory()).map(entry => entry.name).sort()
  return Promise.all(names.map(async name => {
    // A checkout with Windows line ends has not been edited.
    const sql = (await readFile(new URL(`${name}/migration.sql`, directory), 'utf8')).replaceAll('\r\n', '\n')
    return { name, sql, checksum: sha256(sql) }
  }))
}

function sha256 (text: string) {
  return createHash('sha256').update(text).digest('hex')
}
