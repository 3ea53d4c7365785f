import { mkdtemp, rm, statfs } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Test } from 'tap'

// A database is a thousand files, which on a disk takes ten times as long. In a container there may be room for one or two.
const MEMORY = '/dev/shm'
const ROOM = 2 ** 30

/** A directory that is gone when the test ends, in memory where it may be. */
export async function temporaryDirectory (t: Test): Promise<string> {
  const directory = await mkdtemp(join(await hasRoom(MEMORY) ? MEMORY : tmpdir(), 'countersign-test-'))
  t.teardown(() => rm(directory, { recursive: true, force: true }))
  return directory
}

async function hasRoom (directory: string) {
  const { bavail, bsize } = await statfs(directory).catch(() => ({ bavail: 0, bsize: 0 }))
  return bavail * bsize > ROOM
}
