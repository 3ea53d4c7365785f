import { access, chmod, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { PGlite } from '@electric-sql/pglite'
import { DatabaseStartError } from '../start-error.ts'
import { readSnapshot } from './snapshot.ts'

// Postgres' own default of 128 MB is seldom filled here, and to set it up takes a third of a second or more, and some 50 MB.
export const startParams = [...PGlite.defaultStartParams, '-c', 'shared_buffers=16MB']

export interface Cluster {
  readonly engine: PGlite
  /** What it means that the first statements fail. */
  explain (error: unknown): DatabaseStartError
  /** To be called once the cluster is migrated: until then a start that broke off begins anew. */
  settled (): Promise<void>
}

/**
 * Opens the cluster in a locked data directory, or makes one: from the build's snapshot where there is one.
 * A mark lies beside a cluster in the making. It is removed before anybody gets to write, so that a first start
 * killed half-way can be thrown away without a doubt.
 * @throws {DatabaseStartError} `embedded_damaged`
 */
export async function openCluster (dataDir: string): Promise<Cluster> {
  const directory = join(dataDir, 'postgres')
  const mark = join(dataDir, 'postgres.unfinished')
  if (await exists(mark)) await rm(directory, { recursive: true, force: true })
  await mkdir(directory, { recursive: true, mode: 0o700 })
  // The engine makes its files readable to all, so the directory must not be, whoever made it.
  await chmod(directory, 0o700)
  const isNew = (await readdir(directory)).length === 0
  const engine = isNew ? await create(directory, mark) : await resume(directory)
  return {
    engine,
    explain: error => error instanceof DatabaseStartError ? error : isNew ? unmakeable(directory, error) : damaged(directory, error),
    settled: () => rm(mark, { force: true })
  }
}

async function create (directory: string, mark: string) {
  await writeFile(mark, '')
  const snapshot = await readSnapshot()
  try {
    return await PGlite.create(directory, { startParams, ...snapshot && { loadDataDir: snapshot } })
  } catch (error) {
    throw unmakeable(directory, error)
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

function unmakeable (directory: string, cause: unknown) {
  return new DatabaseStartError('data_dir_unusable', `The embedded database could not be made in ${directory}.`, cause)
}

function damaged (directory: string, cause: unknown) {
  return new DatabaseStartError('embedded_damaged',
    `The embedded database in ${directory} is damaged and cannot be opened: restore it, or move it away to start with an empty one.`, cause)
}

function exists (path: string) {
  return access(path).then(() => true, () => false)
}
