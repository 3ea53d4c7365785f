import { mkdtemp, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'

// The kernel's limit for a socket's path: 104 bytes on macOS, 108 on Linux, including the terminating zero.
const MAX_BYTES = 103

/**
 * Calls `use` with a path to `directory/name` that a socket can bind or connect to. Where the real one is too long, it goes
 * through a symbolic link in the system's temporary directory, which is removed afterwards; the socket itself is in
 * `directory` either way.
 */
export async function withSocketPath<T> (directory: string, name: string, use: (path: string) => Promise<T>): Promise<T> {
  const direct = join(resolve(directory), name)
  if (Buffer.byteLength(direct) <= MAX_BYTES) return use(direct)
  const short = await mkdtemp(join(tmpdir(), 'cs-'))
  try {
    const link = join(short, 'd')
    await symlink(resolve(directory), link)
    return await use(join(link, name))
  } finally {
    await rm(short, { recursive: true, force: true })
  }
}
