import { setTimeout as pause } from 'node:timers/promises'

/** Waits for something that nobody tells of. @returns the milliseconds it took @throws when it has not come after `limit` ms */
export async function until (isSo: () => boolean | Promise<boolean>, limit = 10_000): Promise<number> {
  const began = performance.now()
  while (!await isSo()) {
    if (performance.now() - began > limit) throw new Error(`not so after ${limit} ms: ${isSo.toString()}`)
    await pause(5)
  }
  return performance.now() - began
}
