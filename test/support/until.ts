import { setTimeout as pause } from 'node:timers/promises'

/**
 * Waits for something that nobody tells of. It looks every 5 ms, and less often the longer it has waited: of many that look,
 * each takes time from what they wait for.
 * @returns the milliseconds it took, up to a twentieth or 5 ms too many
 * @throws when it has not come after `limit` ms
 */
export async function until (isSo: () => boolean | Promise<boolean>, limit = 10_000): Promise<number> {
  const began = performance.now()
  while (!await isSo()) {
    const waited = performance.now() - began
    if (waited > limit) throw new Error(`not so after ${limit} ms: ${isSo.toString()}`)
    await pause(Math.min(Math.max(waited / 20, 5), 50))
  }
  return performance.now() - began
}
