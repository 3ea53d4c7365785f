import { randomBytes } from 'node:crypto'
import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { DatabaseStartError } from '../database-start-error.ts'
import { probeLock } from './probe-lock.ts'
import type { ProbedLock } from './probe-lock.ts'
import { withSocketPath } from './socket-path.ts'

export interface Lock { release (): Promise<void> }

const SETTLE_MS = 10_000

/**
 * Locks a data directory for this process: two engines in one directory corrupt it silently.
 *
 * Each contender first publishes a claim of its own (a listening socket under a name never used before), then probes all
 * others. A contender that sees no other live claim holds the directory; of two that see each other the lower name wins.
 * A claim is never taken over, so two can never win; the claim of a killed process no longer answers and is removed.
 * Works within one machine, so not on a network file system.
 * @throws {DatabaseStartError} `data_dir_in_use` with the holder's process id, `data_dir_unusable`
 */
export async function lockDirectory (dataDir: string): Promise<Lock> {
  const directory = join(dataDir, 'lock')
  await mkdir(directory, { recursive: true, mode: 0o700 })
  const claim = await publish(directory)
  try {
    await settle(directory, claim.name, dataDir)
  } catch (error) {
    await claim.release()
    throw error
  }
  claim.hold()
  return { release: claim.release }
}

async function publish (directory: string) {
  // With the process id: a process too busy to answer is named all the same.
  const name = `${randomBytes(6).toString('hex')}-${process.pid}`
  let state: ProbedLock['state'] = 'asking'
  const server = createServer(socket => {
    socket.on('error', () => {})
    socket.end(`${state} ${process.pid}`)
  })
  const unfinished = `${name}.new`
  await withSocketPath(directory, unfinished, path => new Promise<void>((resolve, reject) => {
    server.once('error', error => reject(unusable(directory, error)))
    server.listen(path, resolve)
  }))
  server.unref()
  // A socket that is bound but not yet listening looks dead, so a claim gets its name only once it answers.
  await rename(join(directory, unfinished), join(directory, name))
  return {
    name,
    hold () { state = 'holding' },
    async release () {
      await rm(join(directory, name), { force: true })
      await new Promise(resolve => { server.close(resolve) })
    }
  }
}

async function settle (directory: string, own: string, dataDir: string) {
  for (const deadline = Date.now() + SETTLE_MS; ;) {
    const others = await liveClaims(directory, own)
    if (others.length === 0) return
    const winner = others.find(({ state, name }) => state === 'holding' || name < own)
    if (winner ?? Date.now() > deadline) throw inUse(dataDir, (winner ?? others[0])?.pid)
    await wait(20)
  }
}

async function liveClaims (directory: string, own: string) {
  const live: Array<ProbedLock & { name: string }> = []
  for (const name of await readdir(directory)) {
    if (name === own) continue
    const path = join(directory, name)
    const isUnfinished = name.endsWith('.new')
    if (isUnfinished && await isYoung(path)) continue
    const answer = isUnfinished ? undefined : await withSocketPath(directory, name, probeLock)
    if (answer) live.push({ name, state: answer.state, pid: answer.pid ?? name.split('-')[1] })
    else await rm(path, { force: true })
  }
  return live
}

async function isYoung (path: string) {
  const made = await stat(path).catch(() => undefined)
  return made !== undefined && Date.now() - made.mtimeMs < 60_000
}

function inUse (dataDir: string, pid: string | undefined) {
  const holder = pid === undefined ? 'another process' : `process ${pid}`
  return new DatabaseStartError('data_dir_in_use', `The data directory ${dataDir} is in use by ${holder}.`)
}

function unusable (directory: string, cause: Error) {
  return new DatabaseStartError('data_dir_unusable',
    `The directory ${directory} cannot hold a Unix socket, which keeps a second process out: use a local disk.`, cause)
}
