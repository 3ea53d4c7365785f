import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Test } from 'tap'

/** A directory until the test ends. Not one in the repository: what is missing in a project would be found above it. */
export async function temporary (t: Test, ...children: string[]): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'countersign-package-'))
  t.teardown(() => rm(directory, { recursive: true }))
  for (const child of children) await mkdir(join(directory, child))
  return directory
}
