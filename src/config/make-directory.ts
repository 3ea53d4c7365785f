import { mkdirSync, statSync } from 'node:fs'
import { dirname } from 'node:path'

/**
 * Makes a directory where it is missing, and those above it, for their owner alone.
 *
 * Node's own recursive mkdir never returns where the kernel answers ENOENT below an existing directory, as in /proc.
 */
export function makeDirectory (path: string): void {
  const mode = 0o700
  try {
    mkdirSync(path, { mode })
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    if (code === 'EEXIST' && statSync(path).isDirectory()) return
    if (code !== 'ENOENT' || dirname(path) === path) throw error
    makeDirectory(dirname(path))
    mkdirSync(path, { mode })
  }
}
