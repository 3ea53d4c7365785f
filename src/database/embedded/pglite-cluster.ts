import { access, chmod, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { PGlite } from '@electric-sql/pglite'
import { DatabaseStartError } from '../database-start-error.ts'
import { readSnapshot } from './snapshot.ts'

// Postgres' default of 128 MB is rarely used up here, and allocating it takes a third of a second or more, and some 50 MB.
export const startParams = [...PGlite.defaultStartParams, '-c', 'shared_buffers=16MB']

export interface PgliteCluster {
  readonly engine: PGlite
  /** Explains why the first statements failed. */
  explain (error: unknown): DatabaseStartError
  /** To be called once the cluster is migrated: until then an interrupted start begins again from nothing. */
  settled (): Promise<void>
}

/**
 * Opens the cluster in a locked data directory, or creates one: from the build's snapshot where there is one.
 * A marker file stands beside an unfinished cluster. It is removed before anything can be written, so that a first start
 * that was killed half-way can safely be discarded.
 * @throws {DatabaseStartError} `embedded_damaged`
 */
export async function openPgliteCluster (dataDir: string): Promise<PgliteCluster> {
  const directory = join(dataDir, 'postgres')
  const marker = join(dataDir, 'postgres.unfinished')
  if (await exists(marker)) await rm(directory, { recursive: true, force: true })
  await mkdir(directory, { recursive: true, mode: 0o700 })
  // The engine makes its files readable by all users, so the directory must not be.
  await chmod(directory, 0o700)
  const isNew = (await readdir(directory)).length === 0
  const engine = isNew ? await create(directory, marker) : await resume(directory)
  return {
    engine,
    explain: error => error instanceof DatabaseStartError ? error : isNew ? cannotCreate(directory, error) : damaged(directory, error),
    settled: () => rm(marker, { force: true })
  }
}

async function create (directory: string, marker: string) {
  await rm(marker, { force: true })
  await writeFile(marker, '', { flag: 'wx', mode: 0o600 })
  const snapshot = await readSnapshot()
  try {
    return await PGlite.create(directory, { startParams, ...snapshot && { loadDataDir: snapshot } })
  } catch (error) {
    throw cannotCreate(directory, error)
  }
}

async function resume (directory: string) {
  await checkMajorVersion(directory)
  try {
    return await PGlite.create(directory, { startParams })
  } catch (error) {
    throw damaged(directory, error)
  }
}

async function checkMajorVersion (directory: string) {
  const version = await readFile(join(directory, 'PG_VERSION'), 'utf8').catch((error: unknown) => { throw damaged(directory, error) })
  if (version.trim() === '18') return
  throw new DatabaseStartError('embedded_damaged',
    `The embedded database in ${directory} was made by PostgreSQL ${version.trim().slice(0, 20)}, and this version runs 18.`)
}

function cannotCreate (directory: string, cause: unknown) {
  return new DatabaseStartError('data_dir_unusable', `The embedded database could not be created in ${directory}.`, cause)
}

function damaged (directory: string, cause: unknown) {
  return new DatabaseStartError('embedded_damaged',
    `The embedded database in ${directory} is damaged and cannot be opened: restore it, or move it away to start with an empty one.`, cause)
}

function exists (path: string) {
  return access(path).then(() => true, () => false)
}
