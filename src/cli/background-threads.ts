import { readdir } from 'node:fs/promises'
import { constants, setPriority } from 'node:os'

/**
 * Lets the thread that answers requests go before the other threads of this process, which hash passwords, read files and
 * compile: so those who are logged in hardly notice how many are logging in. On Linux; elsewhere a thread has no priority
 * that could be set from here.
 */
export async function lowerBackgroundThreads (): Promise<void> {
  if (process.platform !== 'linux') return
  // Reading a directory is itself done by the pool, whose threads are all there once one of them has done something.
  const threads = await readdir('/proc/self/task').catch(() => [])
  for (const thread of threads.map(Number)) if (thread !== process.pid) lower(thread)
}

function lower (thread: number): void {
  try {
    setPriority(thread, constants.priority.PRIORITY_BELOW_NORMAL)
  } catch {
    // It has ended since, or this system forbids it: nothing but the order of work is lost.
  }
}
