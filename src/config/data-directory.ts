import { lstatSync, mkdirSync, statSync, type Stats } from 'node:fs'
import { dirname } from 'node:path'
import { errorCode } from './error-code.ts'

/** Others own a directory, or can write to it: they could plant files in it, and links. The message goes on after its name. */
export class DirectoryRefused extends Error {
  override readonly name = 'DirectoryRefused'
}

/**
 * Creates a directory and its missing parents, for their owner only. One that exists must belong to the user of the process,
 * and nobody else may write to it.
 *
 * Node's own recursive mkdir never returns where the kernel answers ENOENT below an existing directory, as in /proc.
 *
 * @throws DirectoryRefused
 */
export function makeDataDirectory (path: string): void {
  make(path)
  // A link that the operator made is theirs to follow; one that somebody else made is not.
  refuseForeign(lstatSync(path))
  refuseShared(statSync(path))
}

/** The same for a directory within the data directory, and its parent has to be there: links are not followed. @throws DirectoryRefused */
export function makeInnerDirectory (path: string): void {
  try {
    mkdirSync(path, { mode: 0o700 })
  } catch (error) {
    if (errorCode(error) !== 'EEXIST') throw error
  }
  const found = lstatSync(path)
  if (found.isSymbolicLink()) throw new DirectoryRefused('is a symbolic link, which is not followed')
  refuseShared(found)
}

/** @returns whether a file or directory belongs to another user; always `false` on Windows, which has no such users */
export function isForeign ({ uid }: Stats): boolean {
  return process.geteuid !== undefined && uid !== process.geteuid()
}

function refuseForeign (found: Stats): void {
  if (isForeign(found)) throw new DirectoryRefused(`belongs to the user with id ${found.uid}, and the service runs as the one with id ${process.geteuid?.()}: chown it`)
}

function refuseShared (found: Stats): void {
  refuseForeign(found)
  // Windows has no such mode bits.
  if (process.platform !== 'win32' && (found.mode & 0o022) !== 0) {
    throw new DirectoryRefused(`may be written to by others than its owner (its mode is ${(found.mode & 0o7777).toString(8)}): chmod go-w it, or name a directory below it`)
  }
}

function make (path: string): void {
  const mode = 0o700
  try {
    mkdirSync(path, { mode })
  } catch (error) {
    const code = errorCode(error)
    if (code === 'EEXIST' && statSync(path).isDirectory()) return
    if (code !== 'ENOENT' || dirname(path) === path) throw error
    make(dirname(path))
    mkdirSync(path, { mode })
  }
}
