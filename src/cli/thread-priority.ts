import { readdir } from 'node:fs/promises'
import { getPriority, setPriority } from 'node:os'

// By ten steps a thread gets a tenth of what another gets, where both want the same core.
const STEP = 10
const LOWEST = 19

/**
 * Lets the thread that answers requests go before the other threads of this process, which hash passwords, read files and
 * compile: so those who are logged in hardly notice how many are logging in. On Linux; elsewhere a thread has no priority
 * that could be set from here.
 */
export async function lowerBackgroundThreadPriority (): Promise<void> {
  if (process.platform !== 'linux') return
  // Reading a directory is itself done by the pool, whose threads are all there once one of them has done something.
  const threads = await readdir('/proc/self/task').catch((): string[] => [])
  // Where /proc is that of another namespace, its numbers are other processes'.
  if (!threads.includes(String(process.pid))) return
  const priority = Math.min(getPriority() + STEP, LOWEST)
  for (const thread of threads.map(Number)) if (thread !== process.pid) lower(thread, priority)
}

function lower (thread: number, priority: number): void {
  try {
    setPriority(thread, priority)
  } catch {
    // It has ended since, or this system forbids it: nothing but the order of work is lost.
  }
}
