import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { access, mkdtemp, rename, rm, statfs } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { Test } from 'tap'
import { readMigrations } from '../../src/database/migration-files.ts'
import { openDatabase } from '../../src/database/open-database.ts'

const run = promisify(execFile)

const MEMORY = '/dev/shm'
const ROOM = 2 ** 30

/** A data directory with a fresh, migrated cluster, gone when the test ends. */
export async function copyOfCluster (t: Test): Promise<string> {
  const prepared = fileURLToPath(new URL(`../../embedded-template-${await stateOfMigrations()}`, import.meta.url))
  if (!await access(prepared).then(() => true, () => false)) await prepare(prepared)
  // A thousand files: on a disk that takes ten times as long.
  const dataDir = await mkdtemp(join(await hasRoom(MEMORY) ? MEMORY : tmpdir(), 'countersign-test-'))
  t.teardown(() => rm(dataDir, { recursive: true, force: true }))
  // Node's own copying of them takes four times as long.
  await run('cp', ['-R', `${prepared}/.`, dataDir])
  return dataDir
}

/** Names what the migrations are. */
export async function stateOfMigrations (): Promise<string> {
  const hash = createHash('sha256')
  for (const { name, checksum } of await readMigrations()) hash.update(`${name} ${checksum}\n`)
  return hash.digest('hex').slice(0, 12)
}

// Test files run in parallel, and each may be the first: made aside by each that finds it missing, and the first to
// rename it wins.
async function prepare (prepared: string) {
  const aside = await mkdtemp(`${prepared}-`)
  const database = await openDatabase({ dataDir: aside, log: { info () {}, warn () {}, error () {} } })
  await database.close()
  await rename(aside, prepared).catch(() => rm(aside, { recursive: true }))
}

// In a container it may be as small as two clusters.
async function hasRoom (directory: string) {
  const { bavail, bsize } = await statfs(directory).catch(() => ({ bavail: 0, bsize: 0 }))
  return bavail * bsize > ROOM
}
