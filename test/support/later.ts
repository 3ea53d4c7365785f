import type { Test } from 'tap'

/** Does something by a clock that has gone on by some seconds: that of this process, which the service shares. */
export async function later (t: Test, seconds: number, work: () => Promise<void>): Promise<void> {
  const { now } = Date
  const restore = () => { Date.now = now }
  t.teardown(restore)
  Date.now = () => now() + seconds * 1000
  await work().finally(restore)
}
