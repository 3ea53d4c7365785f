import { rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { makeDataDirectory } from '../../config/generated-secrets.ts'
import { DatabaseStartError } from '../database-start-error.ts'

/** Creates the data directory when it is missing. @throws {DatabaseStartError} `data_dir_unusable` */
export async function prepareDataDirectory (dataDir: string): Promise<void> {
  try {
    makeDataDirectory(dataDir)
    const probe = join(dataDir, `.probe-${process.pid}`)
    await writeFile(probe, '')
    await rm(probe)
  } catch (error) {
    throw new DatabaseStartError('data_dir_unusable', `The data directory ${dataDir} ${await describeFailure(dataDir, error)}.`, error)
  }
}

async function describeFailure (dataDir: string, error: unknown) {
  const code = codeOf(error)
  if (code === 'ENOTDIR' || code === 'EEXIST') return 'is not a directory'
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS') return 'cannot be written to'
  if (code === 'ENOSPC') return 'is on a disk that is full'
  const found = await stat(dataDir).catch(() => undefined)
  return found ? 'cannot be used' : 'cannot be made'
}

function codeOf (error: unknown) {
  return error instanceof Error && 'code' in error ? error.code : undefined
}
