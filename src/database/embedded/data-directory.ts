import { mkdir, rm, stat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { DatabaseStartError } from '../start-error.ts'

/** Makes the data directory when it is missing. @throws {DatabaseStartError} `data_dir_unusable` */
export async function prepareDataDirectory (dataDir: string): Promise<void> {
  try {
    await makeDirectory(dataDir)
    const probe = join(dataDir, `.probe-${process.pid}`)
    await writeFile(probe, '')
    await rm(probe)
  } catch (error) {
    throw new DatabaseStartError('data_dir_unusable', `The data directory ${dataDir} ${await whatIsWrong(dataDir, error)}.`, error)
  }
}

// Node's own recursive mkdir never returns where the kernel answers ENOENT below an existing directory, as in /proc.
async function makeDirectory (path: string): Promise<void> {
  const mode = 0o700
  try {
    await mkdir(path, { mode })
  } catch (error) {
    const code = codeOf(error)
    if (code === 'EEXIST' && (await stat(path)).isDirectory()) return
    if (code !== 'ENOENT' || dirname(path) === path) throw error
    await makeDirectory(dirname(path))
    await mkdir(path, { mode })
  }
}

async function whatIsWrong (dataDir: string, error: unknown) {
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
