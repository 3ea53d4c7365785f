import { randomBytes } from 'node:crypto'
import { rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DirectoryRefused, makeDataDirectory, makeInnerDirectory } from '../../config/data-directory.ts'
import { errorCode } from '../../config/error-code.ts'
import { DatabaseStartError } from '../database-start-error.ts'

/** The parts of the data directory that the database needs. */
const INNER = ['lock', 'postgres']

/** Creates the data directory and its parts where they are missing. @throws {DatabaseStartError} `data_dir_unusable` */
export async function prepareDataDirectory (dataDir: string): Promise<void> {
  try {
    makeDataDirectory(dataDir)
    const probe = join(dataDir, `.probe-${randomBytes(6).toString('hex')}`)
    await writeFile(probe, '', { flag: 'wx', mode: 0o600 })
    await rm(probe)
  } catch (error) {
    throw new DatabaseStartError('data_dir_unusable', `The data directory ${dataDir} ${await describeFailure(dataDir, error)}.`, error)
  }
  for (const part of INNER.map(name => join(dataDir, name))) {
    try {
      makeInnerDirectory(part)
    } catch (error) {
      throw new DatabaseStartError('data_dir_unusable', `The directory ${part} ${await describeFailure(part, error)}.`, error)
    }
  }
}

async function describeFailure (dataDir: string, error: unknown) {
  if (error instanceof DirectoryRefused) return error.message
  const code = errorCode(error)
  if (code === 'ENOTDIR' || code === 'EEXIST') return 'is not a directory'
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS') return 'cannot be written to'
  if (code === 'ENOSPC') return 'is on a disk that is full'
  const found = await stat(dataDir).catch(() => undefined)
  return found ? 'cannot be used' : 'cannot be made'
}
