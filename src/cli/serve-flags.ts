import { spawn } from 'node:child_process'

/**
 * What Node is started with for `countersign serve`, however the command was started: by hand, by `npm start` or in the
 * image. Options of the user's own come after these and win.
 */
export const SERVE_FLAGS = [
  // Little is alive in this heap. A larger young generation takes memory and saves no time.
  '--max-semi-space-size=8',
  // Threads that help to collect have to compete with those that hash passwords, and the thread that answers requests waits for both.
  '--single-threaded-gc',
  // Under load V8 lets the heap grow to four times what is alive before it collects. By a third costs next to nothing here.
  '--heap-growing-percent=30'
]

// glibc would keep the memory of a hash, 19 MB, for each thread that has ever hashed.
export const SERVE_ENVIRONMENT = { MALLOC_ARENA_MAX: '1' }

// Node 22.15 and later, not on Windows.
type Execve = (file: string, args: readonly string[], env: NodeJS.ProcessEnv) => never

/**
 * Starts this program again with `SERVE_FLAGS`, which Node takes at its start only. Where the system allows it the process
 * is replaced: it keeps its id, its signals and its exit code. Elsewhere it waits for a child.
 *
 * @returns `false` when this process has the flags already
 */
export function restartWithServeFlags (): boolean {
  if (SERVE_FLAGS.every(flag => process.execArgv.includes(flag))) {
    endWithParent()
    return false
  }
  const args = [...SERVE_FLAGS, ...process.execArgv, ...process.argv.slice(1)]
  const env = { ...SERVE_ENVIRONMENT, ...process.env }
  const { execve } = process as { execve?: Execve }
  if (execve !== undefined && process.platform !== 'win32') execve.call(process, process.execPath, [process.execPath, ...args], env)
  runChild(args, env)
  return true
}

/** Runs the program in a child, and ends as it ends. */
function runChild (args: readonly string[], env: NodeJS.ProcessEnv): void {
  const child = spawn(process.execPath, args, { env, stdio: ['inherit', 'inherit', 'inherit', 'ipc'] })
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
    process.on(signal, () => {
      // A terminal sends Ctrl-C to every process in the foreground, the child among them.
      if (signal !== 'SIGINT' || !process.stdin.isTTY) child.kill(signal)
    })
  }
  child.on('exit', (code, signal) => {
    if (signal === null) process.exit(code ?? 1)
    process.removeAllListeners(signal)
    process.kill(process.pid, signal)
  })
}

/** Stops the service when the parent that `runChild` left waiting is killed: the channel between the two closes then. */
function endWithParent (): void {
  if (process.channel === undefined) return
  process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'))
  process.channel.unref()
}
