import { readdir } from 'node:fs/promises'
import { getPriority, setPriority } from 'node:os'

// Ten steps lower, a thread gets a tenth of the time where two threads compete for a core.
const STEP = 10
const LOWEST = 19

/**
 * Lowers the priority of all threads but the main one, which answers requests: the others hash passwords, read files and
 * compile. So a storm of logins hardly delays other requests. On Linux only: elsewhere Node cannot set the priority of a thread.
 */
export async function lowerBackgroundThreadPriority (): Promise<void> {
  if (process.platform !== 'linux') return
  // The thread pool reads the directory, and starts all of its threads for its first task.
  const threads = await readdir('/proc/self/task').catch((): string[] => [])
  // In another PID namespace, the numbers in /proc belong to other processes.
  if (!threads.includes(String(process.pid))) return
  const priority = Math.min(getPriority() + STEP, LOWEST)
  for (const thread of threads.map(Number)) if (thread !== process.pid) lower(thread, priority)
}

function lower (thread: number, priority: number): void {
  try {
    setPriority(thread, priority)
  } catch {
    // The thread has ended, or the system forbids it: only the order of work is affected.
  }
}
