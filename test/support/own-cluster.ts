import { execFile } from 'node:child_process'
import { chmodSync, existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Test } from 'tap'
import { tcpProxy, type TcpProxy } from '../database/tcp-proxy.ts'
import { temporaryDirectory } from './database.ts'
import { freePort } from './free-port.ts'
import { onServer } from './postgres.ts'
import { until } from './until.ts'

const LIBRARIES = '/usr/lib/postgresql'
const version = existsSync(LIBRARIES) ? readdirSync(LIBRARIES).sort().at(-1) : undefined

/** For tests that need a PostgreSQL server of their own, as Debian installs it. */
export const onOwnCluster = version === undefined ? { skip: 'needs the programs of a PostgreSQL server in /usr/lib/postgresql' } : {}

/** A PostgreSQL server that a test may configure, stop and break. */
export interface OwnCluster {
  readonly url: string
  /** Kills every process of it at once, as a machine that is lost. */
  kill (): void
}

export interface Standby extends OwnCluster {
  /** The wire from the primary: what it does not let through is not in the standby. */
  readonly wire: TcpProxy
  /** Makes it the primary. */
  promote (): Promise<void>
}

const runFile = promisify(execFile)

/** Runs a program of PostgreSQL, which refuses to run as root. */
async function run (program: string, ...args: string[]): Promise<void> {
  const path = join(LIBRARIES, version ?? '', 'bin', program)
  if (process.getuid?.() === 0) await runFile('runuser', ['-u', 'postgres', '--', path, ...args])
  else await runFile(path, args)
}

/** Starts a PostgreSQL server that is gone when the test ends. @returns the URL of a database */
export async function startCluster (t: Test): Promise<string> {
  return (await startPrimary(t)).url
}

export async function startPrimary (t: Test): Promise<OwnCluster> {
  const data = await dataDirectory(t)
  await run('initdb', '-D', data, '-A', 'trust', '-U', 'postgres', '-N')
  return await start(t, data)
}

/** Starts a standby that replicates from a server by streaming, and waits until it does. @param name as in `synchronous_standby_names` */
export async function startStandby (t: Test, primary: OwnCluster, name: string): Promise<Standby> {
  const data = await dataDirectory(t)
  const wire = await tcpProxy(primary.url)
  t.teardown(() => wire.close())
  await run('pg_basebackup', '-D', data, '-R', '-X', 'stream', '--checkpoint=fast', '-d', `host=127.0.0.1 port=${new URL(wire.url).port} user=postgres application_name=${name}`)
  const standby = await start(t, data)
  await until(() => onServer(primary.url, async server => (await server.query("SELECT FROM pg_stat_replication WHERE state = 'streaming'")).rowCount === 1), 30_000)
  return { ...standby, wire, promote: () => onServer(standby.url, async server => { await server.query('SELECT pg_promote()') }) }
}

async function dataDirectory (t: Test): Promise<string> {
  const directory = await temporaryDirectory(t)
  chmodSync(directory, 0o777)
  return join(directory, 'data')
}

async function start (t: Test, data: string): Promise<OwnCluster> {
  const port = await freePort()
  const directory = join(data, '..')
  await run('pg_ctl', '-D', data, '-w', '-l', join(directory, 'log'), '-o', `-p ${port} -c listen_addresses=127.0.0.1 -c unix_socket_directories=${directory} -c fsync=off`, 'start')
  // Also where the process ends before its tests do.
  process.once('exit', kill)
  t.teardown(() => {
    process.removeListener('exit', kill)
    kill()
  })

  function kill (): void {
    for (const pid of processesOf(data)) {
      try {
        process.kill(pid, 'SIGKILL')
      } catch {
        // It is gone already.
      }
    }
  }
  return { url: `postgres://postgres@127.0.0.1:${port}/postgres`, kill }
}

/** The postmaster, before it can start others, and those that it has started. */
function processesOf (data: string): number[] {
  const file = join(data, 'postmaster.pid')
  const pid = existsSync(file) ? Number(readFileSync(file, 'utf8').split('\n')[0]) : NaN
  const children = `/proc/${pid}/task/${pid}/children`
  // A file that a killed server has left behind names a process that may be another by now.
  if (!existsSync(children) || !readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(data)) return []
  return [pid, ...readFileSync(children, 'utf8').split(' ').filter(part => part !== '').map(Number)]
}
