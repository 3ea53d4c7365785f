import { execFileSync, spawn } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { createServer } from 'node:net'

const children = new Set()
const KIBIBYTES = /^VmRSS:\s+(\d+) kB$/m

/** The cores to use: `{ server, load }` as numbers, or `undefined` when processes cannot be pinned here. */
export function chooseCores () {
  try {
    const answer = execFileSync('taskset', ['-pc', String(process.pid)], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
    const cores = answer.split(':').pop().trim().split(',').flatMap(expandRange)
    return cores.length > 1 ? { server: cores[0], load: cores[1] } : undefined
  } catch {
    return undefined
  }
}

function expandRange (range) {
  const [first, last = first] = range.split('-').map(Number)
  return Array.from({ length: last - first + 1 }, (_, offset) => first + offset)
}

/** Starts `node file` on one core. It dies with this process. */
export function startNode (file, { args = [], nodeArgs = [], env = {}, core, ipc = false } = {}) {
  const command = [process.execPath, ...nodeArgs, file, ...args]
  if (core !== undefined) command.unshift('taskset', '-c', String(core))
  const child = spawn(command[0], command.slice(1), {
    env: { PATH: process.env.PATH, HOME: process.env.HOME, ...env },
    stdio: ['ignore', 'pipe', 'pipe', ...(ipc ? ['ipc'] : [])],
    serialization: 'advanced'
  })
  child.output = ''
  const keep = chunk => { child.output = (child.output + chunk).slice(-4000) }
  child.stdout.on('data', keep)
  child.stderr.on('data', keep)
  children.add(child)
  child.once('exit', () => children.delete(child))
  return child
}

/** Asks a child that answers each message with one; fails when it dies instead. */
export function ask (child, message) {
  return new Promise((resolve, reject) => {
    const died = () => reject(new Error(`a child process ended early:\n${child.output}`))
    child.once('exit', died)
    child.once('message', answer => {
      child.off('exit', died)
      resolve(answer)
    })
    child.send(message)
  })
}

export async function stop (child) {
  if (child.exitCode !== null || child.signalCode !== null) return
  const gone = new Promise(resolve => child.once('exit', resolve))
  child.kill('SIGTERM')
  const impatience = setTimeout(() => child.kill('SIGKILL'), 5000)
  await gone
  clearTimeout(impatience)
}

export function killAll () {
  for (const child of children) child.kill('SIGKILL')
}

export function freePort () {
  return new Promise((resolve, reject) => {
    const server = createServer().once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address()
      server.close(() => resolve(port))
    })
  })
}

/** CPU seconds all threads of a process have used; Linux only, else `undefined`. */
export function cpuSeconds (pid) {
  try {
    return readdirSync(`/proc/${pid}/task`)
      .map(thread => Number(readFile(`/proc/${pid}/task/${thread}/schedstat`)?.split(' ')[0] ?? 0))
      .reduce((sum, nanoseconds) => sum + nanoseconds / 1e9, 0)
  } catch {
    return undefined
  }
}

/** CPU seconds a core has worked, for whomever, or been taken by the machine's owner; Linux only, else `undefined`. */
export function coreSeconds (core) {
  const [, line] = new RegExp(`^cpu${core} (.*)$`, 'm').exec(readFile('/proc/stat') ?? '') ?? []
  if (!line) return undefined
  const [user, nice, system, , , irq, softirq, steal] = line.split(' ').map(Number)
  return (user + nice + system + irq + softirq + steal) / 100
}

/** Resident memory in MB (10^6 bytes); Linux only, else `undefined`. */
export function residentMegabytes (pid) {
  const match = KIBIBYTES.exec(readFile(`/proc/${pid}/status`) ?? '')
  return match ? Number(match[1]) * 1024 / 1e6 : undefined
}

function readFile (name) {
  try {
    return readFileSync(name, 'utf8')
  } catch {
    return undefined
  }
}
